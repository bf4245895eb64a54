/**
 * Every shortcut, in one table. The help sheet renders it, `Keyboard` listens for it, and who can do the thing hears an `ActionEvent`.
 * No shortcut uses a modifier that the browser owns (the palette's Ctrl/Cmd+K apart), none works in a text field, all can be switched off.
 */

export interface Shortcut {
  /** As pressed, a sequence parted by spaces: `g o`. */
  readonly keys: string
  readonly action: string
  readonly does: string
  readonly group: "Everywhere" | "Go to" | "Lists" | "Time" | "Map"
}

export const shortcuts: ReadonlyArray<Shortcut> = [
  { keys: "/", action: "find", does: "Search", group: "Everywhere" },
  { keys: "?", action: "help", does: "This table", group: "Everywhere" },
  { keys: "Escape", action: "close", does: "Close, then clear the selection, then back", group: "Everywhere" },
  { keys: "i", action: "inspector", does: "Inspector open or closed", group: "Everywhere" },
  { keys: "y", action: "copy.identity", does: "Copy the identity of the row or node", group: "Everywhere" },
  { keys: "g o", action: "go.overview", does: "Overview", group: "Go to" },
  { keys: "g m", action: "go.map", does: "Map", group: "Go to" },
  { keys: "g a", action: "go.assets", does: "Assets", group: "Go to" },
  { keys: "g d", action: "go.dependencies", does: "Dependencies", group: "Go to" },
  { keys: "g f", action: "go.flows", does: "Flows", group: "Go to" },
  { keys: "g e", action: "go.exporters", does: "Exporters", group: "Go to" },
  { keys: "g h", action: "go.health", does: "Health", group: "Go to" },
  { keys: "g s", action: "go.settings", does: "Settings", group: "Go to" },
  { keys: "j", action: "row.next", does: "Next row", group: "Lists" },
  { keys: "k", action: "row.previous", does: "Previous row", group: "Lists" },
  { keys: "Enter", action: "row.open", does: "Open the row", group: "Lists" },
  { keys: "Space", action: "row.select", does: "Select the row", group: "Lists" },
  { keys: "f", action: "filter", does: "Filter", group: "Lists" },
  { keys: "[", action: "window.previous", does: "Previous window", group: "Time" },
  { keys: "]", action: "window.next", does: "Next window", group: "Time" },
  { keys: "\\", action: "window.live", does: "Live", group: "Time" },
  { keys: "l", action: "map.table", does: "Map as table, and back", group: "Map" },
  { keys: "f", action: "map.fit", does: "Fit", group: "Map" },
  { keys: "+", action: "map.zoom-in", does: "Zoom in", group: "Map" },
  { keys: "-", action: "map.zoom-out", does: "Zoom out", group: "Map" },
  { keys: ".", action: "map.menu", does: "Menu of the selection, as by right click", group: "Map" },
  { keys: "ArrowUp", action: "map.walk-up", does: "Walk along an edge upwards", group: "Map" },
  { keys: "ArrowDown", action: "map.walk-down", does: "Walk along an edge downwards", group: "Map" },
  { keys: "ArrowLeft", action: "map.walk-left", does: "Walk along an edge to the left", group: "Map" },
  { keys: "ArrowRight", action: "map.walk-right", does: "Walk along an edge to the right", group: "Map" },
  { keys: "Enter", action: "map.centre", does: "Centre the selection", group: "Map" }
]

/** How a key is written for people. */
export const keyWords = (keys: string): ReadonlyArray<string> =>
  keys
    .split(" ")
    .map(
      (key) =>
        ({ Escape: "esc", Enter: "↵", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" })[key] ?? key.toLowerCase()
    )

/** A shortcut was pressed. Whoever does it calls `preventDefault`; one key can mean one thing on a list and another on the map. */
export class ActionEvent extends Event {
  static readonly type = "net-action"
  readonly action: string
  constructor(action: string) {
    super(ActionEvent.type, { cancelable: true })
    this.action = action
  }
}

/** Offers an action to whoever is on the page (listening on `window`), then to the frame (on `document`); true when someone did it. */
export const perform = (action: string): boolean =>
  !dispatchEvent(new ActionEvent(action)) || !document.dispatchEvent(new ActionEvent(action))

const spelled = (event: KeyboardEvent): string => (event.key === " " ? "Space" : event.key)

/** Elements that take typed characters for themselves. */
const takesText = (target: EventTarget | undefined): boolean => {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type)
}

/** Elements on which these keys already mean something. */
const owns = (target: EventTarget | undefined, key: string): boolean =>
  target instanceof HTMLElement &&
  (target instanceof HTMLInputElement ||
    (["Enter", "Space"].includes(key) && target.matches("a[href], button, summary, [role='button']")))

/** How long the second key of `g o` may take. */
const sequenceMillis = 1200

export class Keyboard {
  readonly #enabled: () => boolean
  #pending: { readonly key: string; readonly at: number } | undefined

  constructor(enabled: () => boolean) {
    this.#enabled = enabled
  }

  listen(): () => void {
    addEventListener("keydown", this.#keydown)
    return () => removeEventListener("keydown", this.#keydown)
  }

  readonly #keydown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      if (perform("palette")) event.preventDefault()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.composedPath()[0]
    const key = spelled(event)
    // Escape is no character shortcut (WCAG 2.1.4): it works with shortcuts off, and leaves a text field to the field
    if (takesText(target) || owns(target, key)) return
    if (!this.#enabled() && key !== "Escape") return
    const actions = this.#actionsOf(key, event.timeStamp)
    for (const action of actions) {
      if (perform(action)) {
        event.preventDefault()
        return
      }
    }
  }

  #actionsOf(key: string, at: number): ReadonlyArray<string> {
    const before = this.#pending
    this.#pending = undefined
    if (before !== undefined && at - before.at < sequenceMillis) {
      const found = shortcuts.filter((shortcut) => shortcut.keys === `${before.key} ${key}`)
      if (found.length > 0) return found.map((shortcut) => shortcut.action)
    }
    if (shortcuts.some((shortcut) => shortcut.keys.startsWith(`${key} `))) this.#pending = { key, at }
    return shortcuts.filter((shortcut) => shortcut.keys === key).map((shortcut) => shortcut.action)
  }
}
