/** A flow worker on the main thread: its thread as an actor, its messages to where they belong. */
import { Effect } from "effect"
import type { Announcement, LearnedTemplate } from "#domain/LearnedTemplate.ts"
import type { RawChunk } from "#domain/RawChunk.ts"
import type { WindowSlice } from "#domain/Window.ts"
import type { Mailbox } from "#pipeline/actor/Mailbox.ts"
import { Registry } from "#pipeline/actor/Registry.ts"
import type { Supervisor } from "#pipeline/actor/Supervisor.ts"
import type { FlowWorkerSettings, FromFlowWorker, ToFlowWorker, Withdrawal } from "../flow-worker/messages.ts"
import type { FlowLedger } from "./FlowLedger.ts"
import type { TakeCaptured } from "./FlowLine.ts"
import { runThread } from "./worker-thread.ts"

export interface TemplateChange {
  readonly learned: ReadonlyArray<LearnedTemplate>
  readonly withdrawn: ReadonlyArray<Withdrawal>
  readonly announced: ReadonlyArray<Announcement>
}

export interface FlowWorkerOptions {
  readonly worker: string
  readonly settings: Effect.Effect<FlowWorkerSettings>
  readonly ledger: FlowLedger
  readonly slices: Mailbox<WindowSlice>
  readonly templates: Mailbox<TemplateChange>
  /** Templates one worker learned are told to the others that share its ports. */
  readonly others: (message: ToFlowWorker) => void
  readonly raw: (chunk: RawChunk, leftOut: number) => void
  readonly captured: TakeCaptured
}

export interface FlowWorkerHandle {
  readonly worker: string
  /** Nothing happens while the thread is being restarted. */
  readonly post: (message: ToFlowWorker) => void
  readonly stop: Effect.Effect<void>
}

/** Starts `flow/<worker>`; the parts inside the thread appear below it in the registry. */
export const startFlowWorker = Effect.fnUntraced(function* (supervisor: Supervisor, options: FlowWorkerOptions) {
  const registry = yield* Registry
  const { worker, ledger, slices } = options
  const path = `${supervisor.path}/${worker}`
  const context = yield* Effect.context<never>()
  const run = Effect.runForkWith(context)
  let post: ((message: ToFlowWorker) => void) | undefined
  // of the next thread, too: a number that was used names a slice that is written already, and the store would pass over it
  let nextSequence = 0

  const take = (message: FromFlowWorker): void => {
    switch (message.type) {
      case "slice":
        nextSequence = message.slice.sequence + 1
        ledger.handedOver(worker, message.slice.records)
        ledger.subnets.add(message.slice, Date.now())
        // Never full: a worker has two slices on their way, and the mailbox holds more than that of each.
        if (!slices.offerUnsafe(message.slice))
          run(Effect.logError("a slice found no room", { worker, records: message.slice.records }))
        return
      case "raw":
        options.raw(message.chunk, message.leftOut)
        return
      case "templates":
        options.templates.offerUnsafe({ learned: message.learned, withdrawn: message.withdrawn, announced: message.announced })
        options.others({ type: "adopt", templates: message.learned, announcements: message.announced })
        return
      case "report":
        ledger.report(message.report, message.warnings)
        // the thread's own entry is this actor's seat; only its parts are reported
        run(
          registry.report(
            path,
            message.report.actors.filter((actor) => actor.path !== path)
          )
        )
        return
      case "sequences":
        ledger.sequences(worker, message.notes)
        return
      case "captured":
        options.captured(message.capture, message.which, message.datagrams)
        return
      case "stopped":
        ledger.report(message.report, [])
        return
      default:
        return
    }
  }

  const handle = yield* supervisor.start(
    worker,
    (self) =>
      runThread({
        settings: Effect.map(options.settings, (settings) => ({ ...settings, firstSequence: nextSequence })),
        take,
        attach: (to) => {
          post = to
          if (to === undefined) {
            ledger.threadEnded(worker)
            run(registry.withdraw(path))
          }
        },
        ready: self.ready
      }),
    { signalsReady: true }
  )
  // a part inside the thread cannot be restarted alone from here: its thread is
  yield* registry.control(`${path}/decode`, () => handle.restart)
  yield* registry.control(`${path}/window`, () => handle.restart)
  return { worker, post: (message) => post?.(message), stop: handle.stop } satisfies FlowWorkerHandle
})
