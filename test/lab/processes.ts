/** Programs of others, run by argument list: to their end, or in the foreground until the scope closes. Ended by pid, never by name. */
import { type ChildProcess, spawn } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { join } from "node:path"
import { Effect, Schema, type Scope } from "effect"

export class LabFault extends Schema.TaggedError<LabFault>()("LabFault", { what: Schema.String, detail: Schema.String }) {
  override get message() {
    return `${this.what}: ${this.detail}`
  }
}

/** Daemons live in folders that are not on everybody's path. */
const PATH = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`
export const environment = { ...process.env, PATH }

export const has = (program: string): boolean =>
  PATH.split(":").some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

export interface Running {
  readonly pid: number
  /** Standard output and error so far, the last 64 KiB. */
  readonly output: () => string
  /** Asks it to end (SIGTERM unless told) and waits; what does not end in ten seconds is killed. */
  readonly stop: (signal?: NodeJS.Signals) => Effect.Effect<void>
}

/** Of a daemon; and of a program that is run for what it prints. */
const KEPT_OUTPUT = 1 << 16
const WHOLE_OUTPUT = 1 << 26

const started = (argv: ReadonlyArray<string>, kept: number): { readonly child: ChildProcess; readonly output: () => string } => {
  let text = ""
  const child = spawn(argv[0]!, argv.slice(1), { env: environment, stdio: ["ignore", "pipe", "pipe"] })
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text = (text + part).slice(-kept)
    })
  }
  return { child, output: () => text }
}

/** Runs to the end; what it printed. */
export const run = (...argv: ReadonlyArray<string>): Effect.Effect<string, LabFault> =>
  Effect.callback<string, LabFault>((resume) => {
    const { child, output } = started(argv, WHOLE_OUTPUT)
    child.once("error", (cause) => resume(Effect.fail(new LabFault({ what: argv.join(" "), detail: cause.message }))))
    child.once("close", (code, signal) => {
      resume(
        code === 0
          ? Effect.succeed(output())
          : Effect.fail(new LabFault({ what: argv.join(" "), detail: `${code ?? signal}: ${output().trim()}` }))
      )
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.fail(new LabFault({ what: argv.join(" "), detail: "did not end in 60 seconds" }))
    })
  )

/** Starts it and waits until `ready` says so, at most 45 seconds (a machine may be busy); it ends with the scope. */
export const daemon = (
  argv: ReadonlyArray<string>,
  ready: (output: string) => Effect.Effect<boolean, LabFault>
): Effect.Effect<Running, LabFault, Scope.Scope> =>
  Effect.gen(function* () {
    const running = yield* Effect.acquireRelease(
      Effect.sync(() => hold(argv)),
      ({ stop }) => stop()
    )
    for (let i = 0; i < 450; i++) {
      if (running.ended()) break
      if (yield* ready(running.output())) return running
      yield* Effect.sleep("100 millis")
    }
    return yield* new LabFault({ what: argv.join(" "), detail: `not ready: ${running.output().trim()}` })
  })

const hold = (argv: ReadonlyArray<string>): Running & { readonly ended: () => boolean } => {
  const { child, output } = started(argv, KEPT_OUTPUT)
  let ended = false
  child.once("error", () => {
    ended = true
  })
  child.once("exit", () => {
    ended = true
  })
  return {
    pid: child.pid ?? 0,
    output,
    ended: () => ended,
    stop: (signal = "SIGTERM") =>
      Effect.callback<void>((resume) => {
        if (ended) return resume(Effect.void)
        const late = setTimeout(() => child.kill("SIGKILL"), 10_000)
        child.once("exit", () => {
          clearTimeout(late)
          resume(Effect.void)
        })
        child.kill(signal)
      })
  }
}
