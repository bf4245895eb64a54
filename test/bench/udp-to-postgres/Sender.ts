/**
 * Who sends: the load generator of `FLOWLENS_BENCH_TOOLS` (default `../shared/bench` beside the checkout), built with the C compiler into a
 * temporary folder; where it is not, our own sender in JavaScript (own-sender.child.ts), which is slower and says so in the units.
 */
import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { onCore, otherCore, root, say, temporaryFolder, which } from "./machine.ts"

export type Format = "netflow5" | "netflow9" | "ipfix" | "sflow5"
export const formats: ReadonlyArray<Format> = ["netflow9", "netflow5", "ipfix", "sflow5"]

/** What the sender says it sent. */
export interface Sent {
  readonly datagrams: number
  readonly records: number
  /** Sum of the records' packet counts, as exported. */
  readonly packets: number
  readonly seconds: number
}

export interface Sender {
  readonly label: "C" | "JavaScript"
  /** `rate` in records a second. One template first, then `records` records over 50,000 conversations. */
  readonly send: (options: {
    readonly format: Format
    readonly port: number
    readonly rate: number
    readonly records: number
  }) => Promise<Sent>
}

export const CONVERSATIONS = 50_000

const run = (command: ReadonlyArray<string>): Promise<Readonly<Record<string, number>>> =>
  new Promise((done, fail) => {
    const [program = "", ...argv] = onCore(otherCore, command)
    const child = spawn(program, argv, { stdio: ["ignore", "pipe", "inherit"] })
    let output = ""
    child.stdout.setEncoding("utf8")
    child.stdout.on("data", (text: string) => (output += text))
    child.once("error", fail)
    child.once("close", (code) => {
      if (code !== 0) return fail(new Error(`the sender ended with code ${code}`))
      done(JSON.parse(output.trim().split("\n").at(-1) ?? ""))
    })
  })

const generatorNames = { netflow5: "v5", netflow9: "v9", ipfix: "ipfix", sflow5: "sflow" } as const

const build = (): Sender | undefined => {
  const tools = resolve(process.env["FLOWLENS_BENCH_TOOLS"] ?? join(root, "../shared/bench"))
  const source = join(tools, "flowgen.c")
  const compiler = which("cc")
  if (!existsSync(source) || compiler === undefined) return undefined
  const folder = temporaryFolder("sender")
  process.once("exit", folder.remove)
  const program = join(folder.path, "flowgen")
  try {
    execFileSync(compiler, ["-O2", "-o", program, source, "-lm"], { stdio: ["ignore", "ignore", "pipe"] })
  } catch (error) {
    say(`the load generator does not compile: ${error instanceof Error ? error.message.split("\n")[0] : error}`)
    return undefined
  }
  return {
    label: "C",
    send: async ({ format, port, rate, records }) => {
      const sent = await run([
        program,
        ...["--fmt", generatorNames[format], "--keys", String(CONVERSATIONS)],
        ...["--port", String(port), "--rate", String(rate), "--count", String(records)]
      ])
      return { datagrams: sent["datagrams"]!, records: sent["flows"]!, packets: sent["packets"]!, seconds: sent["sec"]! }
    }
  }
}

const own: Sender = {
  label: "JavaScript",
  send: async ({ format, port, rate, records }) => {
    const program = join(import.meta.dirname, "own-sender.child.ts")
    const sent = await run([process.execPath, program, format, String(port), String(rate), String(records), String(CONVERSATIONS)])
    return { datagrams: sent["datagrams"]!, records: sent["records"]!, packets: sent["packets"]!, seconds: sent["seconds"]! }
  }
}

let chosen: Sender | undefined
export const theSender = (): Sender => {
  if (chosen === undefined) {
    chosen = build() ?? own
    if (chosen === own) say("no load generator in C (FLOWLENS_BENCH_TOOLS): measured with the sender in JavaScript")
  }
  return chosen
}
