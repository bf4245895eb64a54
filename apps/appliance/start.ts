/** `flowlens start`: from the command line to a running appliance, and from a signal to a clean end. */
import { parseArgs } from "node:util"
import { Cause, Effect, Exit, Fiber, Layer, Option, Redacted, Result } from "effect"
import { describeError } from "#pipeline/actor/ActorEntry.ts"
import { layerAppliance } from "./appliance.ts"
import { SetupCode } from "./auth/SetupCode.ts"
import { problemLines } from "./cli/config-check.ts"
import { type Config, loadConfig } from "./config.ts"
import { layerDemo } from "./corridors/demo.ts"
import { demoNames } from "./demo/hosts.ts"
import { Flows } from "./flow/Flows.ts"
import { openListeners } from "./flow/open-listeners.ts"
import { loadCertificate } from "./http/certificate.ts"
import { isDatabaseAway } from "./http/faults.ts"
import { Listening } from "./http/server.ts"
import { loggingLayer } from "./logging.ts"
import { version } from "./version.ts"

const usage = `flowlens start [--demo] [--config FILE]

  --demo          play a datacenter of its own at the flow ports
  --config FILE   read this file (default: flowlens.yaml in the data folder)`

export const runStart = async (argv: ReadonlyArray<string>): Promise<number> => {
  const options = readOptions(argv)
  if (typeof options === "number") return options
  const loaded = loadConfig({ path: options.config, env: process.env })
  if (Result.isFailure(loaded)) {
    for (const line of problemLines(loaded.failure)) console.error(line)
    return 1
  }
  const settings = loaded.success.settings
  const config = options.demo ? forDemo(loaded.success.config, settings) : loaded.success.config
  const code = await run(config, settings, options.demo)
  // everything is closed; a log line that is held back for half a minute must not keep the process that long
  setTimeout(() => process.exit(code), lastWordsMs).unref()
  return code
}

const lastWordsMs = 500

const readOptions = (argv: ReadonlyArray<string>) => {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { demo: { type: "boolean", default: false }, config: { type: "string" }, help: { type: "boolean", default: false } }
    })
    if (!values.help) return { demo: values.demo, config: values.config }
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`flowlens start: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
  }
}

type Settings = ReadonlyArray<{ readonly knob: string; readonly source: string }>

/** A newcomer watches the map fill: windows are written every few seconds unless the configuration says otherwise. */
const forDemo = (config: Config, settings: Settings): Config =>
  settings.some((one) => one.knob === "aggregation.flush_interval_seconds" && one.source !== "default")
    ? config
    : {
        ...config,
        aggregation: { ...config.aggregation, flush_interval_seconds: Math.min(5, config.aggregation.window_size_seconds) }
      }

/** One Ctrl-C comes twice: from the terminal, and handed on by npm. A second one after this means now. */
const impatienceMs = 2000

const demoHosts = [...demoNames].map(([address, name]) => ({ address, name, fqdn: null }))

const run = async (config: Config, settings: Parameters<typeof layerAppliance>[1], demo: boolean): Promise<number> => {
  const appliance = (demo ? layerDemo(config) : Layer.empty).pipe(
    Layer.provideMerge(Layer.effectDiscard(announce(config, demo))),
    Layer.provideMerge(layerAppliance(config, settings, demo ? demoHosts : []))
  )
  const fiber = Effect.runFork(Layer.launch(appliance).pipe(Effect.provide(loggingLayer(config.log)), Effect.scoped))
  let firstAt = 0
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const now = performance.now()
      if (firstAt === 0) {
        firstAt = now
        Effect.runFork(Fiber.interrupt(fiber))
      } else if (now - firstAt > impatienceMs) process.exit(1)
    })
  }
  const exit = await Effect.runPromise(Fiber.await(fiber))
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return 0
  const { said, hint } = whyNot(Cause.squash(exit.cause), config)
  console.error(`flowlens: ${said}`)
  if (hint !== undefined && !said.includes(hint)) console.error(`  ${hint}`)
  return 1
}

/** The cause as a person at the terminal needs it: which thing, and what to do. A database's password is not said. */
const whyNot = (error: unknown, { database }: Config): { readonly said: string; readonly hint: string | undefined } => {
  const { hint } = error as { readonly hint?: unknown }
  if (database.url === undefined || !isDatabaseAway(error)) {
    return { said: describeError(error), hint: typeof hint === "string" ? hint : undefined }
  }
  const { host, pathname } = new URL(Redacted.value(database.url))
  return {
    said: `cannot use the database${pathname} at ${host}: ${describeError(error)}`.replace("database/", "database "),
    hint: "see that it runs and lets us in; database.url in flowlens.yaml or FLOWLENS_DATABASE_URL names it, without either FlowLens runs its own"
  }
}

/** What a person at the terminal needs, once the console answers. */
const announce = (config: Config, demo: boolean) =>
  Effect.gen(function* () {
    const { port } = yield* Listening
    // what is sent at this moment shall be heard; a port that cannot be had is told on Health
    yield* Effect.flatMap(Flows, ({ listeners }) => openListeners(listeners)).pipe(Effect.timeoutOption("5 seconds"))
    const { fingerprint } = yield* loadCertificate(config.data)
    const code = yield* Effect.flatMap(SetupCode, (setup) => setup.codeIfNeeded)
    const host = config.api.host === "0.0.0.0" || config.api.host === "::" ? "localhost" : config.api.host
    const { netflow_port: netflow, ipfix_port: ipfix, sflow_port: sflow } = config.ingestion
    console.log(
      [
        "",
        `FlowLens ${version} is running${demo ? ", with the demo datacenter playing" : ""}.`,
        "",
        `  console      https://${host}:${port}/`,
        `  certificate  SHA-256 ${fingerprint}`,
        ...(Option.isSome(code) ? [`  setup code   ${code.value}   (once, for the first administrator)`] : []),
        `  flows        udp/${netflow} NetFlow, udp/${ipfix} IPFIX, udp/${sflow} sFlow`,
        `  data         ${config.data}`,
        ""
      ].join("\n")
    )
  })
