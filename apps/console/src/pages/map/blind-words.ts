/** What the map says of parts that nobody looks at: since when, and whose silence it is. */
import { html, nothing } from "lit"
import type { Blindness } from "#domain/CoverageReport.ts"
import { plural } from "../../format/number.ts"
import type { Scene, SceneNode } from "../../map/scene.ts"
import { blindText } from "../blind-text.ts"

interface Blind {
  readonly blind?: number
}

/** Since when and why nobody looks at it; undefined while somebody does. */
export const reasonOf = (scene: Pick<Scene, "blindness">, { blind }: Blind): Blindness | undefined =>
  blind === undefined ? undefined : scene.blindness[blind]

const reasonsOf = (scene: Scene, parts: ReadonlyArray<Blind>): ReadonlyArray<string> => [
  ...new Set(parts.map((part) => reasonOf(scene, part)).flatMap((reason) => (reason === undefined ? [] : blindText(reason))))
]

/** A row of facts: how much of it is blind, and each reason once. */
export const blindFact = (scene: Scene, parts: ReadonlyArray<Blind>) => {
  const blind = parts.filter((part) => part.blind !== undefined)
  if (blind.length === 0 || scene.blindness.length === 0) return nothing
  const reasons = reasonsOf(scene, blind)
  return html`<dt>Blind</dt><dd><span>${blind.length} of ${parts.length}: ${reasons.join("; ")}. Whether they still talk is not known.</span></dd>`
}

/** The network of a group, when all its members are of one and it is ours: the ledger knows it by that. */
export const subnetOf = (node: SceneNode): string | undefined => {
  const network = node.members[0]?.network
  return node.external || network === undefined || node.members.some((member) => member.network !== network) ? undefined : network
}

/** The line above the map or its table: what of it nobody looks at, and why; undefined while all of it is looked at. */
export const blindNote = (scene: Scene, asTable: boolean): string | undefined => {
  if (scene.blindness.length === 0) return undefined
  const members = scene.nodes.flatMap((node) => node.members)
  const networks = new Set(members.filter(({ blind }) => blind !== undefined).map(({ network }) => network))
  const all = [...scene.edges.flatMap((line) => line.dependencies), ...scene.nodes.flatMap((node) => node.inside)]
  const blind = all.filter((one) => one.blind !== undefined)
  if (networks.size === 0 && blind.length === 0) return undefined
  const what = [
    ...(networks.size === 0 ? [] : [plural(networks.size, "network")]),
    ...(blind.length === 0 ? [] : [plural(blind.length, "dependency", "dependencies")])
  ]
  const reasons = reasonsOf(scene, [...members, ...blind])
  const shown = reasons.length > 2 ? `${reasons.slice(0, 2).join("; ")} and ${reasons.length - 2} more reasons` : reasons.join("; ")
  return `${asTable ? "" : "Hatched: "}${what.join(" and ")} that nobody looks at, ${shown}.`
}
