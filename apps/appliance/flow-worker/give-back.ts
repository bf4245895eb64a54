/** madvise(2): pages that hold nothing of worth go back to the system. They read as zeros afterwards, and take memory again once written. */
import { withFfi } from "#pipeline/ingest/ffi.ts"
import type { GiveBack } from "#pipeline/window/chunks.ts"

const MADV_DONTNEED = 4

const load = () =>
  withFfi((ffi) => {
    const { functions } = ffi.dlopen(null, { madvise: { arguments: ["pointer", "u64", "i32"], return: "i32" } })
    return { madvise: functions.madvise, addressOf: ffi.getRawPointer }
  })

let system: ReturnType<typeof load>
let asked = false

/** `from` and `to` at page boundaries. False where the runtime cannot; everything then stays as it is. */
export const giveBack: GiveBack = (memory, from, to) => {
  if (!asked) system = load()
  asked = true
  return system !== undefined && system.madvise(system.addressOf(memory) + BigInt(from), BigInt(to - from), MADV_DONTNEED) === 0
}
