/**
 * `flowlens config check [--config FILE] [--json]`: the configuration as it is resolved, each value with where it comes from, secrets
 * redacted. Exit 0 when it is right; 1 with every problem on standard error when it is not; 2 when the command itself is wrong.
 */

import { parseArgs } from "node:util"
import * as Result from "effect/Result"
import type { ConfigProblem, Setting } from "../config/resolve.ts"
import { loadConfig } from "../config.ts"

const usage = `flowlens config check [--config FILE] [--json]

  --config FILE   the file to check instead of flowlens.yaml in the data folder
  --json          one JSON object: {"ok", "settings": [{"knob", "value", "source", …}], "problems": [{"knob", "where", …}]}

Exit code: 0 right, 1 wrong (problems on standard error), 2 wrong use of the command.`

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

const ownTerminal: Terminal = {
  env: process.env,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`)
}

/** `flowlens config …`: `check` is its only command so far. */
export const runConfig = (argv: ReadonlyArray<string>, terminal: Terminal = ownTerminal): number => {
  const [name, ...rest] = argv
  if (name === "check") return runConfigCheck(rest, terminal)
  const asked = name === "--help" || name === "help"
  if (asked) terminal.out(usage)
  else terminal.err(name === undefined ? usage : `flowlens config: no command ${name}\n\n${usage}`)
  return asked ? 0 : 2
}

export const runConfigCheck = (argv: ReadonlyArray<string>, terminal: Terminal = ownTerminal): number => {
  const options = optionsOf(argv)
  if (typeof options === "string") {
    terminal.err(`flowlens config check: ${options}\n\n${usage}`)
    return 2
  }
  if (options.help) {
    terminal.out(usage)
    return 0
  }
  const result = loadConfig({ path: options.config, env: terminal.env })
  if (Result.isFailure(result)) {
    if (options.json) terminal.out(JSON.stringify({ ok: false, settings: [], problems: result.failure }))
    for (const line of problemLines(result.failure)) terminal.err(line)
    return 1
  }
  const { settings } = result.success
  if (options.json) terminal.out(JSON.stringify({ ok: true, settings: settings.map(settingJson), problems: [] }))
  else terminal.out(settingsText(settings))
  return 0
}

/** What the start prints too when it cannot go on. */
export const problemLines = (problems: ReadonlyArray<ConfigProblem>): ReadonlyArray<string> => [
  `flowlens: ${problems.length === 1 ? "one problem" : `${problems.length} problems`} in the configuration`,
  ...problems.map((problem) => `  ${problem.message}`)
]

const settingJson = ({ json, ...setting }: Setting) => ({ ...setting, value: json })

/** Columns: knob, value, source. A long value pushes only its own source away. */
const settingsText = (settings: ReadonlyArray<Setting>): string => {
  const knobWidth = Math.max(...settings.map((one) => one.knob.length))
  const valueWidth = Math.min(32, Math.max(...settings.map((one) => one.value.length)))
  return settings.map((one) => `${one.knob.padEnd(knobWidth)}  ${one.value.padEnd(valueWidth)}  ${one.source}`).join("\n")
}

const optionsOf = (argv: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...argv],
      options: { config: { type: "string" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } }
    }).values
  } catch (error) {
    const message = (error as Error).message.split("\n")[0]!.split(". ")[0]!.replace(/\.$/, "")
    return message.charAt(0).toLowerCase() + message.slice(1)
  }
}
