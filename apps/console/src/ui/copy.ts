/** Copies the exact value and says so. Without a clipboard (an old browser, plain HTTP) it says that instead. */
import { ToastEvent } from "./events.ts"

export const copy = (from: EventTarget, text: string): void => {
  const done = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"))
  done.then(
    () => from.dispatchEvent(new ToastEvent(`Copied ${text.length > 48 ? `${text.slice(0, 47)}…` : text}`)),
    () => from.dispatchEvent(new ToastEvent("This browser does not let the console copy", "warning"))
  )
}
