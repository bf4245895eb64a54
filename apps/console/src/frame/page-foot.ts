/** The foot of every printed page: the appliance, the moment, the page's number. In the margin, so that it covers no row. */
import { exactTime } from "../format/time.ts"

const quoted = (text: string): string => `"${text.replaceAll(/["\\\n]/g, " ")}"`

/** Pure part: the rule for one printing. */
export const pageFoot = (host: string, title: string, at: number): string => `@page {
  @bottom-left { content: ${quoted(`FlowLens ${host}, ${title}`)}; font: 8pt sans-serif; }
  @bottom-right { content: ${quoted(`${exactTime(at)}, page `)} counter(page) "/" counter(pages); font: 8pt sans-serif; }
}`

/** Written anew before each printing; a constructed sheet, which the appliance's policy allows. The answer stops it. */
export const followPrinting = (): (() => void) => {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  const write = () => sheet.replaceSync(pageFoot(location.host, document.title, Date.now()))
  addEventListener("beforeprint", write)
  return () => {
    removeEventListener("beforeprint", write)
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet)
  }
}
