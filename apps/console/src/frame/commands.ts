/** What the command palette offers: pages, actions that the caller may take, what Search finds, what was opened last. */

import { Effect } from "effect"
import { perform } from "../keys.ts"
import { paths } from "../paths.ts"
import { go, place } from "../place.ts"
import { prefer, preferences } from "../preferences.ts"
import { nav } from "../routes.ts"
import { act } from "../rpc/client.ts"
import { askWho, logOut, refusal } from "../session.ts"
import type { PaletteEntry } from "../ui/net-palette.ts"

let opened: ReadonlyArray<PaletteEntry> = []

export const remember = (entry: PaletteEntry): void => {
  if (entry.href === undefined || entry.group === "Pages") return
  const again: PaletteEntry = { ...entry, group: "Opened before" }
  opened = [again, ...opened.filter((other) => other.href !== entry.href)].slice(0, 5)
}

export const recent = (): ReadonlyArray<PaletteEntry> => opened

const themes = { system: "as the system", dark: "dark", light: "light" } as const
const densities = { normal: "normal", compact: "compact", touch: "touch" } as const

export const commands = (): ReadonlyArray<PaletteEntry> => {
  const chosen = preferences.value
  return [
    ...nav.map((entry): PaletteEntry => ({ group: "Pages", title: entry.label, href: entry.href, keys: entry.key })),
    ...(place.value.query.has("select")
      ? [{ group: "Actions", title: "Clear the selection", keys: "esc", run: () => void perform("close") }]
      : []),
    {
      group: "Actions",
      title: "Copy a link to this page",
      run: () => void navigator.clipboard?.writeText(location.href)
    },
    { group: "Actions", title: "Operators", href: paths.settings("operators"), refused: refusal("operators.write") },
    { group: "Actions", title: "New token", href: paths.settings("tokens"), refused: refusal("tokens.own") },
    { group: "Actions", title: "Verify the audit log", href: paths.settings("audit"), refused: refusal("audit.read") },
    { group: "Actions", title: "Log out", run: () => void Effect.runFork(Effect.catch(logOut(), () => askWho())) },
    ...(Object.keys(themes) as Array<keyof typeof themes>)
      .filter((theme) => theme !== chosen.theme)
      .map((theme): PaletteEntry => ({ group: "Look", title: `Theme: ${themes[theme]}`, run: () => prefer({ theme }) })),
    ...(Object.keys(densities) as Array<keyof typeof densities>)
      .filter((density) => density !== chosen.density)
      .map((density): PaletteEntry => ({ group: "Look", title: `Density: ${densities[density]}`, run: () => prefer({ density }) })),
    {
      group: "Look",
      title: chosen.zone === "utc" ? "Times in local time" : "Times in UTC",
      run: () => prefer({ zone: chosen.zone === "utc" ? "local" : "utc" })
    },
    { group: "Look", title: "Keys", keys: "?", run: () => void perform("help") }
  ]
}

/** What the appliance finds, best first. */
export const found = async (text: string): Promise<ReadonlyArray<PaletteEntry>> => {
  const hits = await act((api) => api.Search({ text }))
  const entries = hits.map(
    (hit): PaletteEntry => ({
      group: hit.kind === "asset" ? "Assets" : "Dependencies",
      title: hit.title,
      detail: hit.detail,
      href: hit.kind === "asset" ? paths.asset(hit.id) : paths.dependency(hit.id)
    })
  )
  return [
    ...entries.filter((entry) => entry.group === "Assets"),
    ...entries.filter((entry) => entry.group === "Dependencies"),
    { group: "Assets", title: `Filter assets by ${text}`, run: () => go(paths.assets({ filter: text })) }
  ]
}
