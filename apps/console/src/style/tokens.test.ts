/** Recomputes the floors that docs and console.md promise, from the CSS itself, so that no colour drifts. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8")

type Rgb = readonly [number, number, number]

const block = (selector: string): Record<string, Rgb> => {
  const body = css.slice(css.indexOf(selector)).match(/\{([^}]*)\}/)![1]!
  return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, hex]) => [name!, rgb(hex!)]))
}
const rgb = (hex: string): Rgb => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255) as unknown as Rgb
const themes = { dark: block(':root, :root[data-theme="dark"]'), light: block(':root[data-theme="light"]') }

const linear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
/** WCAG 2.2, relative luminance. */
const luminance = ([r, g, b]: Rgb) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
const contrast = (a: Rgb, b: Rgb) => {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p) as [number, number]
  return (x + 0.05) / (y + 0.05)
}

/** Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB. */
const sights: Record<string, ReadonlyArray<Rgb>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1]
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998]
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881]
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039]
  ]
}
const oklab = (color: Rgb, sight: string): Rgb => {
  const lin = color.map(linear) as unknown as Rgb
  const [r, g, b] = sights[sight]!.map((row) =>
    Math.min(1, Math.max(0, row[0] * lin[0] + row[1] * lin[1] + row[2] * lin[2]))
  ) as unknown as Rgb
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s
  ]
}
const apart = (a: Rgb, b: Rgb, sight: string): number => {
  const [x, y] = [oklab(a, sight), oklab(b, sight)]
  return 100 * Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2])
}

const grounds = ["canvas", "panel", "raised"]
const statuses = ["up", "degraded", "down", "unknown"]
const families = ["compute", "data", "network", "netsvc", "comms", "security", "endpoint", "appinfra"]
const floors: ReadonlyArray<readonly [names: ReadonlyArray<string>, floor: number]> = [
  [["text"], 12.3],
  [["muted"], 6.8],
  [["faint"], 4.6],
  [["edge"], 3.3],
  [["accent", "focus"], 6.5],
  [statuses, 4.4],
  [families, 3]
]

describe.each(["dark", "light"] as const)("the %s theme", (name) => {
  const theme = themes[name]

  it("defines every role", () => {
    for (const role of [
      ...grounds,
      ...statuses,
      ...families,
      "text",
      "muted",
      "faint",
      "line",
      "edge",
      "accent",
      "accent-ink",
      "select",
      "focus"
    ]) {
      assert.isDefined(theme[role], role)
    }
  })

  it.each(floors.flatMap(([names, floor]) => names.map((role) => [role, floor] as const)))(
    "keeps %s at %f : 1 on every ground",
    (role, floor) => {
      // one decimal, as the floors are written
      for (const ground of grounds)
        assert.isAtLeast(Math.round(contrast(theme[role]!, theme[ground]!) * 10) / 10, floor, `${role} on ${ground}`)
    }
  )

  it("keeps text readable on a selected row and on the accent", () => {
    assert.isAtLeast(contrast(theme["text"]!, theme["select"]!), 4.5)
    assert.isAtLeast(contrast(theme["muted"]!, theme["select"]!), 4.5)
    assert.isAtLeast(contrast(theme["accent-ink"]!, theme["accent"]!), 4.5)
  })

  const pairs = (roles: ReadonlyArray<string>) => roles.flatMap((a, i) => roles.slice(i + 1).map((b) => [a, b] as const))
  it.each(Object.keys(sights))("keeps statuses and families apart in %s sight", (sight) => {
    for (const [a, b] of pairs(statuses)) assert.isAtLeast(apart(theme[a]!, theme[b]!, sight), 9.75, `${a} and ${b}`)
    const floor = name === "dark" ? 12.35 : 9.95
    for (const [a, b] of pairs(families)) assert.isAtLeast(apart(theme[a]!, theme[b]!, sight), floor, `${a} and ${b}`)
  })
})
