/** What waits for the database, as people see it: on Health, in `/metrics`, and as warnings. */
import { SpoolState } from "#domain/Health.ts"
import type { Spool } from "#pipeline/window/Spool.ts"
import type { RaisedWarning } from "../health/derive-warnings.ts"
import type { Backlog, SliceFacts } from "./Backlog.ts"
import type { WriteState } from "./resolve-slices.ts"

/** A slice that waits for longer, and a write that takes longer, is worth a word: neither does on purpose. */
const longWaitMs = 90_000
const longWriteMs = 15_000

export const makeSpoolAccount = (spool: Spool, backlog: Backlog, state: WriteState) => {
  let replayedSlices = 0
  let replayedRecords = 0
  let lostRecords = spool.torn.reduce((sum, { records }) => sum + (records ?? 0), 0)

  const read = (now: number) => {
    const disk = spool.reading()
    const waiting = backlog.reading()
    return { disk, waiting, age: waiting.oldestAt === undefined ? undefined : Math.max(0, now - waiting.oldestAt) }
  }

  return {
    /** Slices of an earlier start were written. */
    replayed: (slices: ReadonlyArray<SliceFacts>) => {
      replayedSlices += slices.length
      replayedRecords += slices.reduce((sum, { records }) => sum + records, 0)
    },
    lost: (records: number) => {
      lostRecords += records
    },
    reading: (now: number): SpoolState => {
      const { disk, waiting, age } = read(now)
      return new SpoolState({
        files: disk.files,
        bytes: disk.bytes,
        limitBytes: disk.limit,
        setAside: disk.setAside,
        waitingSlices: waiting.slices,
        waitingWindows: waiting.windows,
        waitingRecords: BigInt(waiting.records),
        memoryBytes: waiting.memoryBytes,
        oldestSeconds: age === undefined ? null : age / 1000,
        replayedSlices,
        replayedRecords: BigInt(replayedRecords),
        lostRecords: BigInt(lostRecords),
        writes: state.writes,
        writtenSlices: state.slices
      })
    },
    warnings: (now: number): ReadonlyArray<RaisedWarning> => {
      const { disk, waiting, age } = read(now)
      const raised: Array<RaisedWarning> = []
      const say = (code: RaisedWarning["code"], detail: string) => raised.push({ code, subject: "flow/spool", detail })
      const slow = state.since !== undefined && now - state.since > longWriteMs
      if (age !== undefined && (state.failures > 0 || slow || age > longWaitMs)) {
        const why = state.lastError === undefined ? "" : `; ${state.lastError}`
        say(
          "spool-lags",
          `${waiting.slices} slices (${waiting.records} flow records, ${megabytes(disk.bytes)} on disk) wait since ${Math.round(age / 1000)} s${why}`
        )
      }
      if (disk.fault === "full" && waiting.unspooled > 0) {
        say("spool-full", `${megabytes(disk.bytes)} of ${megabytes(disk.limit)} used; ${waiting.unspooled} slices wait in memory`)
      } else if (disk.fault !== undefined && waiting.unspooled > 0) {
        say("spool-failing", `${disk.fault}; ${waiting.unspooled} slices wait in memory`)
      }
      if (disk.setAside > 0)
        say("spool-set-aside", `${disk.setAside} files; ${lostRecords} flow records of them lost since the start`)
      return raised
    }
  }
}

export type SpoolAccount = ReturnType<typeof makeSpoolAccount>

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
