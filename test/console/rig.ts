/**
 * A real Chromium on the built console with the mock appliance behind it. The console is built once a run; every page is watched: a
 * request to another host, a violated Content-Security-Policy or an uncaught error fails the test that caused it.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe } from "vitest"
import type { MockOptions } from "../../apps/console/mock/Bench.ts"
import { serve } from "../../apps/console/mock/serve.ts"

const executable = "/usr/bin/chromium"
export const hasChromium = existsSync(executable)
// On a machine with everything else on it; what is waited for in vain is named.
const BUILD_SECONDS = 240
const LOOK_SECONDS = 60
const root = join(import.meta.dirname, "../..")

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Builds the console once for all test files of a run (they share a parent process); what earlier runs left is removed. */
const built = async (): Promise<string> => {
  const given = process.env["FLOWLENS_CONSOLE_DIST"]
  if (given !== undefined) return given
  const prefix = "flowlens-console-"
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(prefix) && !alive(Number(name.slice(prefix.length))))
      rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
  const folder = join(tmpdir(), `${prefix}${process.ppid}`)
  const dist = join(folder, "dist")
  try {
    mkdirSync(folder)
  } catch {
    // another file of this run builds it
    for (let i = 0; i < 10 * BUILD_SECONDS; i++) {
      if (existsSync(join(folder, "done"))) return dist
      if (existsSync(join(folder, "failed"))) throw new Error("the console does not build")
      await sleep(100)
    }
    throw new Error(`the console was not built within ${BUILD_SECONDS} s`)
  }
  try {
    const { build } = await import("vite")
    await build({ root: join(root, "apps/console"), logLevel: "error", build: { outDir: dist, emptyOutDir: true } })
  } catch (error) {
    writeFileSync(join(folder, "failed"), "")
    throw error
  }
  writeFileSync(join(folder, "done"), "")
  return dist
}

export interface Opened {
  readonly page: Page
  readonly close: () => Promise<void>
}

export interface OpenOptions {
  readonly seed?: string
  /** Role of the session; null: nobody is logged in. */
  readonly as?: "admin" | "operator" | "analyst" | "viewer" | null
  readonly theme?: "dark" | "light"
  readonly width?: number
  readonly height?: number
}

export interface Console {
  readonly url: string
  readonly drop: (forMs?: number) => void
  readonly open: (path: string, options?: OpenOptions) => Promise<Page>
}

/** Tests against one mock appliance and one browser; skipped by name where there is no Chromium. */
export const describeConsole = (name: string, body: (console: Console) => void, options: MockOptions = {}) =>
  describe.skipIf(!hasChromium)(hasChromium ? name : `${name} (no Chromium at ${executable})`, { timeout: 240_000 }, () => {
    let browser: Browser
    let server: Awaited<ReturnType<typeof serve>>
    const faults: Array<string> = []
    beforeAll(async () => {
      const [dist, started] = await Promise.all([
        built(),
        chromium.launch({
          executablePath: executable,
          args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run"
          ]
        })
      ])
      browser = started
      server = await serve({ ...options, root: dist })
    }, BUILD_SECONDS * 1000)
    afterAll(async () => {
      await browser?.close()
      await server?.close()
      assert.deepStrictEqual(faults, [], "what the browser complained about")
    })
    body({
      get url() {
        return server.url
      },
      drop: (forMs) => server.drop(forMs),
      open: async (path, { as = "admin", height = 900, seed, theme = "dark", width = 1440 } = {}) => {
        for (const context of browser.contexts()) await context.close()
        const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: "reduce" })
        context.setDefaultTimeout(LOOK_SECONDS * 1000)
        await context.route("**/*", (route) => {
          const { host } = new URL(route.request().url())
          if (host === new URL(server.url).host) return route.continue()
          faults.push(`asked another host: ${route.request().url()}`)
          return route.abort()
        })
        const page = await context.newPage()
        page.on("pageerror", (error) => faults.push(`${path}: ${error.message}`))
        page.on("console", (message) => {
          if (message.type() === "error" && /Content Security Policy|Uncaught/i.test(message.text()))
            faults.push(`${path}: ${message.text()}`)
        })
        page.on("websocket", (socket) => {
          if (new URL(socket.url()).host !== new URL(server.url).host) faults.push(`asked another host: ${socket.url()}`)
        })
        const query = new URLSearchParams({ ...(seed === undefined ? {} : { seed }), ...(as === null ? {} : { as }) }).toString()
        if (query !== "") await context.request.get(`${server.url}/?${query}`)
        await page.goto(server.url + path)
        return page
      }
    })
  })

/** Nothing on the page waits for its first answer any more, and what was asked for is drawn. */
export const settled = async (page: Page): Promise<void> => {
  await page.locator("net-waiting").first().waitFor({ state: "detached" })
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}

/** Looks again after each frame until it holds: a canvas has no events. */
export const until = async (page: Page, what: string, holds: () => Promise<boolean>): Promise<void> => {
  const end = Date.now() + LOOK_SECONDS * 1000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${LOOK_SECONDS} s: ${what}`)
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)))
  }
}

export const path = (page: Page): string => new URL(page.url()).pathname
export const query = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name)
