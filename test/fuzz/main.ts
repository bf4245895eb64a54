/**
 * `npm run fuzz [-- --seconds 600] [--protocol NAME…] [--seed N]`: one JSON line a protocol (run.ts has the fields); exits 1 with a find.
 * Without a protocol all of them, one after the other.
 */
import { parseArgs } from "node:util"
import { fuzz, type SubjectName, subjects } from "./run.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    protocol: { type: "string", multiple: true, default: [] },
    seed: { type: "string" }
  }
})
const isSubject = (name: string): name is SubjectName => Object.hasOwn(subjects, name)
const seconds = Number(values.seconds)
const seed = values.seed === undefined ? Date.now() % 0x7fff_ffff : Number(values.seed)
const names = values.protocol.length === 0 ? Object.keys(subjects) : values.protocol
const unknown = names.filter((name) => !isSubject(name))
if (unknown.length > 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error(`usage: npm run fuzz -- [--seconds N] [--seed N] [--protocol ${Object.keys(subjects).join("|")}]…`)
  process.exit(2)
}
for (const name of names.filter(isSubject)) {
  const run = await fuzz(name, seconds, seed)
  console.log(JSON.stringify(run))
  if (run.finds.length > 0) process.exitCode = 1
}
