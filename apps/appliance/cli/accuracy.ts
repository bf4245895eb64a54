/** `flowlens accuracy`: plays a known world through the real pipeline, in a database of its own, and prints how much of it came out right. */
import { Cause, Effect, Exit, Fiber } from "effect"
import { describeError } from "#pipeline/actor/ActorEntry.ts"
import { asJson, asText } from "../accuracy/report.ts"
import { run } from "../accuracy/run.ts"
import { scenarios } from "../accuracy/scenarios.ts"
import { loggingLayer } from "../logging.ts"
import { failed, type LocalTerminal, localConfig, optionsOf, ownLocalTerminal, runCommand, wrongUse } from "./local.ts"

const width = Math.max(...scenarios.map(({ name }) => name.length))

const usage = `flowlens accuracy [--scenario NAME]... [--seed N] [--minutes N] [--config FILE] [--json]

  --scenario NAME  play only this one; may be given several times
  --seed N         another world of the same kind (default 1)
  --minutes N      how long to play (default 0.75); fractions are allowed
  --config FILE    thresholds, declared services, internal ranges and database server of this configuration
  --json           one JSON object

Plays connections that are known through the real pipeline: encoded by exporters, sent over UDP on loopback, decoded, resolved and stored in a
database of its own that is dropped afterwards. The running appliance and its data are not touched. Progress is told on standard error.
Exit code: 0 every target is met, 1 one is missed or it could not be measured, 2 wrong use of the command.

${scenarios.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join("\n")}`

const DEFAULT_MINUTES = 0.75

export const runAccuracy = (argv: ReadonlyArray<string>, terminal: LocalTerminal = ownLocalTerminal): Promise<number> => {
  let missed = false
  return runCommand(terminal, "accuracy", usage, async () => {
    const { positionals, values } = optionsOf(argv, {
      scenario: { type: "string", multiple: true },
      seed: { type: "string" },
      minutes: { type: "string" },
      config: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" }
    })
    if (values.help) return terminal.out(usage)
    if (positionals.length > 0) throw wrongUse(`too much: ${positionals.join(" ")}`)
    const unknown = values.scenario?.find((name) => scenarios.every((one) => one.name !== name))
    if (unknown !== undefined) throw wrongUse(`no scenario ${unknown}`)
    const seed = Number(values.seed ?? 1)
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)
      throw wrongUse("--seed takes a whole number from 0 to 4294967295")
    const minutes = Number(values.minutes ?? DEFAULT_MINUTES)
    if (!(minutes >= 0.1 && minutes <= 60)) throw wrongUse("--minutes takes a number from 0.1 to 60")
    const chosen = scenarios.filter(({ name }) => values.scenario === undefined || values.scenario.includes(name))
    const measuring = run({
      config: localConfig(terminal, values.config),
      scenarios: chosen,
      seed,
      seconds: minutes * 60,
      progress: (line) => terminal.err(`flowlens accuracy: ${line}`)
    }).pipe(Effect.provide(loggingLayer({ level: "error", format: "text", write: terminal.err, colour: false })))
    const answer = await untilInterrupted(measuring)
    missed = !answer.met
    terminal.out(values.json ? JSON.stringify(asJson(answer)) : asText(answer))
  }).then((code) => (code === 0 && missed ? 1 : code))
}

/** Ctrl-C ends the run as its end would: the database is dropped and the folder removed. */
const untilInterrupted = async <A, E>(effect: Effect.Effect<A, E>): Promise<A> => {
  const fiber = Effect.runFork(effect)
  const stop = () => void Effect.runFork(Fiber.interrupt(fiber))
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop)
  try {
    const exit = await Effect.runPromise(Fiber.await(fiber))
    if (Exit.isSuccess(exit)) return exit.value
    throw failed(Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : describeError(Cause.squash(exit.cause)))
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop)
  }
}
