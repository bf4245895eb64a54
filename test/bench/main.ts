/**
 * `npm run bench [-- NAME…]`: one JSON line a measurement, `{name, value, unit, measuredOn}`. A NAME is the beginning of a measurement's name
 * (`decode`, `decode.ipfix`). Names are stable, so that runs can be compared; `measuredOn` says what they were measured on.
 *
 * Every other file of this folder is a suite: whatever it exports under a name that ends in `Benchmarks` is a function that lists them.
 */
import { readdir } from "node:fs/promises"
import { availableParallelism, cpus, totalmem } from "node:os"

export interface Benchmark {
  readonly name: string
  readonly unit: string
  /** The best of the rounds: noise only ever slows down. */
  readonly run: (seconds?: number) => number | Promise<number>
}

const suites = async (): Promise<ReadonlyArray<Benchmark>> => {
  const found: Array<Benchmark> = []
  const files = (await readdir(import.meta.dirname)).filter(
    (file) => file.endsWith(".ts") && !/^main\.ts$|\.(test|child)\.ts$/.test(file)
  )
  for (const file of files.sort()) {
    const suite = (await import(new URL(file, import.meta.url).href)) as Record<string, unknown>
    for (const [name, list] of Object.entries(suite)) {
      if (name.endsWith("Benchmarks") && typeof list === "function") found.push(...(list as () => ReadonlyArray<Benchmark>)())
    }
  }
  return found
}

const measuredOn = `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${availableParallelism()} threads, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`

const main = async (wanted: ReadonlyArray<string>): Promise<number> => {
  const all = await suites()
  // a whole name, or whole parts of one, mean these alone: window.memory is not window.memory-million
  const exact = (one: string) => all.filter(({ name }) => name === one || name.startsWith(`${one}.`))
  const begun = (one: string) => all.filter(({ name }) => name.startsWith(one))
  const meant = new Set(wanted.flatMap((one) => (exact(one).length > 0 ? exact(one) : begun(one))))
  const chosen = wanted.length === 0 ? all : all.filter((one) => meant.has(one))
  if (chosen.length === 0) {
    console.error(`no measurement begins with ${wanted.join(" or ")}; there are: ${all.map(({ name }) => name).join(" ")}`)
    return 1
  }
  for (const { name, run, unit } of chosen) console.log(JSON.stringify({ name, value: await run(), unit, measuredOn }))
  return 0
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
