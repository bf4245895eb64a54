/**
 * One run of a flow worker's thread, as the body of an actor: it fails when the thread ends by itself, and its supervisor starts the
 * next run. Asked to end, it lets the thread close its sockets and hand over all it holds.
 */
import { Worker } from "node:worker_threads"
import { Data, Deferred, Effect } from "effect"
import type { FlowWorkerSettings, FromFlowWorker, ToFlowWorker } from "../flow-worker/messages.ts"

export class FlowWorkerEnded extends Data.TaggedError("FlowWorkerEnded")<{ readonly worker: string; readonly reason: string }> {
  override get message() {
    return `the thread of ${this.worker} ended: ${this.reason}`
  }
}

export interface ThreadOptions {
  /** Read at each run: a later run gets the templates learned meanwhile. */
  readonly settings: Effect.Effect<FlowWorkerSettings>
  /** Called in order, in this thread. */
  readonly take: (message: FromFlowWorker) => void
  /** The way to the thread for this run; undefined when it is over. */
  readonly attach: (post: ((message: ToFlowWorker) => void) | undefined) => void
  readonly ready: Effect.Effect<void>
}

const stopWithinMs = 10_000

export const runThread = Effect.fnUntraced(function* (options: ThreadOptions) {
  const settings = yield* options.settings
  const ended = yield* Deferred.make<never, FlowWorkerEnded>()
  const fail = (reason: string) => Deferred.doneUnsafe(ended, Effect.fail(new FlowWorkerEnded({ worker: settings.worker, reason })))
  const up = yield* Deferred.make<void>()
  const thread = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(new URL("../flow-worker.ts", import.meta.url), { name: settings.worker })),
    (thread) => stop(thread).pipe(Effect.andThen(Effect.sync(() => options.attach(undefined))))
  )
  thread.on("message", (message: FromFlowWorker) => {
    if (message.type === "ready") Deferred.doneUnsafe(up, Effect.void)
    options.take(message)
  })
  thread.on("error", (error) => fail(error instanceof Error ? error.message : String(error)))
  thread.on("exit", (code) => fail(`exit code ${code}`))
  const post = (message: ToFlowWorker) => thread.postMessage(message)
  options.attach(post)
  post({ type: "start", settings })
  yield* Effect.raceFirst(Deferred.await(up), Deferred.await(ended))
  yield* options.ready
  return yield* Deferred.await(ended)
})

/** Lets the thread say its last words; a thread that does not end in time is ended. */
const stop = (thread: Worker) =>
  Effect.callback<void>((resume) => {
    if (thread.threadId < 0) return resume(Effect.void)
    const timer = setTimeout(() => void thread.terminate(), stopWithinMs)
    thread.once("exit", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    thread.postMessage({ type: "stop" } satisfies ToFlowWorker)
  })
