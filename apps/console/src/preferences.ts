/** What an operator chose for this browser: look, density, zone, keys. Kept in local storage; nothing of it reaches the appliance. */
import { Schema } from "effect"
import { Cell } from "./Cell.ts"

export const Preferences = Schema.Struct({
  theme: Schema.Literals(["system", "dark", "light"]),
  density: Schema.Literals(["normal", "compact", "touch"]),
  zone: Schema.Literals(["local", "utc"]),
  keys: Schema.Boolean,
  nav: Schema.Literals(["auto", "wide", "narrow"]),
  inspectorOpen: Schema.Boolean,
  inspectorWidth: Schema.Int,
  /** The system whose lines the coach shows (domain/exporter-lines.ts). */
  exporterSystem: Schema.String
})
export type Preferences = typeof Preferences.Type

export const defaults: Preferences = {
  theme: "system",
  density: "normal",
  zone: "local",
  keys: true,
  nav: "auto",
  inspectorOpen: true,
  inspectorWidth: 360,
  exporterSystem: "ios"
}

const place = "flowlens.preferences"

/** Stored text → preferences; what cannot be read falls back knob by knob, so that an old browser never loses all of them. */
export const readPreferences = (stored: string | null): Preferences => {
  if (stored === null) return defaults
  try {
    const found: unknown = JSON.parse(stored)
    if (typeof found !== "object" || found === null) return defaults
    const merged: Record<string, unknown> = { ...defaults }
    for (const [knob, value] of Object.entries(found)) {
      const trial = { ...defaults, [knob]: value }
      if (knob in defaults && Schema.is(Preferences)(trial)) merged[knob] = value
    }
    return merged as Preferences
  } catch {
    return defaults
  }
}

const storage = (): Storage | undefined => {
  try {
    return globalThis.localStorage
  } catch {
    return undefined
  }
}

export const preferences = new Cell<Preferences>(readPreferences(storage()?.getItem(place) ?? null))

export const prefer = (change: Partial<Preferences>): void => {
  preferences.set({ ...preferences.value, ...change })
  try {
    storage()?.setItem(place, JSON.stringify(preferences.value))
  } catch {
    // a browser that refuses storage still keeps the choice until it is closed
  }
}

/** The theme on screen now. Canvases read their tokens again when it changes. */
export const theme = new Cell<"dark" | "light">("dark")

/** Puts theme and density on the document and keeps them there. Called once, before anything is drawn. */
export const applyPreferences = (root: HTMLElement): void => {
  const light = matchMedia("(prefers-color-scheme: light)")
  const apply = () => {
    const { density, theme: chosen } = preferences.value
    const shown = chosen === "system" ? (light.matches ? "light" : "dark") : chosen
    root.dataset["theme"] = shown
    if (density === "normal") delete root.dataset["density"]
    else root.dataset["density"] = density
    theme.set(shown)
  }
  light.addEventListener("change", apply)
  preferences.follow(apply)
  apply()
}
