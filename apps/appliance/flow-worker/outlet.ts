/** Closed slices on their way to the main thread: at most two, then conversations stay merged in the windows and in the end are sampled. */
import type { WindowSlice } from "#domain/Window.ts"
import { sliceBuffers, type Windows } from "#pipeline/window/window.ts"
import type { FlowWorkerSettings, FromFlowWorker } from "./messages.ts"
import type { Part } from "./part.ts"
import { MOST_IN_FLIGHT, type Tally } from "./report.ts"

export interface OutletOptions {
  readonly settings: FlowWorkerSettings
  readonly windows: Windows
  readonly windowing: Part
  readonly tally: Tally
  readonly now: () => number
  readonly post: (message: FromFlowWorker, transfer: Array<ArrayBuffer>) => void
  /** A slice before it leaves. */
  readonly leaving: (slice: WindowSlice) => void
}

export interface Outlet {
  /** Sends what the windows hold; waits when two slices are under way. */
  readonly flush: () => void
  /** The store has them; a flush that had to wait is done now. */
  readonly accepted: (sequences: ReadonlyArray<number>) => void
  /** A flush waits for its turn. */
  readonly due: () => boolean
  readonly inFlight: () => number
  /** While the store lags and the table fills up, keep one of N; all again when there is room (FL-ING-09). */
  readonly relieve: () => void
  /** Everything that is held: the worker stops. */
  readonly close: () => void
}

export const makeOutlet = (options: OutletOptions): Outlet => {
  const { now, post, settings, tally, windowing, windows } = options
  const inFlight = new Set<number>()
  let due = false

  const send = (slices: ReadonlyArray<WindowSlice> | undefined): void => {
    for (const slice of slices ?? []) {
      options.leaving(slice)
      inFlight.add(slice.sequence)
      tally.slicesSent++
      post({ type: "slice", slice }, sliceBuffers(slice))
    }
  }

  const flush = (): void => {
    if (inFlight.size >= MOST_IN_FLIGHT) {
      if (!due) tally.flushesHeldBack++
      due = true
      return
    }
    due = false
    send(windowing.guard(() => windows.flush(now(), MOST_IN_FLIGHT - inFlight.size)))
    // An older window took the place: the rest goes as soon as a slice is accepted.
    if (windows.conversations() > 0) due = true
  }

  return {
    flush,
    accepted: (sequences) => {
      for (const sequence of sequences) inFlight.delete(sequence)
      if (due) flush()
    },
    due: () => due,
    inFlight: () => inFlight.size,
    relieve: () => {
      const filled = windows.conversations() / (settings.maxConversations ?? 1_000_000)
      const wanted = settings.samplingUnderPressure ?? 10
      if (tally.pressure === 1 && due && filled > 0.8) tally.pressure = wanted
      else if (tally.pressure !== 1 && (!due || filled < 0.5)) tally.pressure = 1
      windows.keepOneOf(tally.pressure)
    },
    close: () => send(windowing.guard(() => windows.close(now())))
  }
}
