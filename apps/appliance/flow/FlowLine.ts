/**
 * The line between the flow workers and those that do not know them: what is decided about exporters goes out on it, captured datagrams
 * come in. It stands before the workers do, so that a thread that is started again gets what holds now.
 */
import { Context, Layer } from "effect"
import type { CapturedDatagram, ExporterSettings, ToFlowWorker } from "../flow-worker/messages.ts"

/** Datagrams of a capture: a worker's answer with the last ones, which may be none, or the next ones as they come. */
export type TakeCaptured = (capture: string, which: "last" | "next", datagrams: ReadonlyArray<CapturedDatagram>) => void

export class FlowLine extends Context.Service<
  FlowLine,
  {
    /** To every worker that runs. Returns how many there are, those included that are being started again and hear nothing. */
    readonly tell: (message: ToFlowWorker) => number
    readonly exporters: () => ExporterSettings
    /** Keeps them for workers to come, and tells those that run. */
    readonly setExporters: (settings: ExporterSettings) => void
    /** The corridor says how to reach its workers. */
    readonly attach: (tell: (message: ToFlowWorker) => number) => void
    readonly captured: TakeCaptured
    /** The one who takes captured datagrams, synchronously. */
    readonly onCaptured: (take: TakeCaptured) => void
  }
>()("appliance/flow/FlowLine") {
  static readonly layer = Layer.sync(FlowLine, () => {
    let settings: ExporterSettings = { requireApproval: false, policies: [] }
    let tell: (message: ToFlowWorker) => number = () => 0
    let take: TakeCaptured = () => {}
    return FlowLine.of({
      tell: (message) => tell(message),
      exporters: () => settings,
      setExporters: (next) => {
        settings = next
        tell({ type: "exporters", exporters: next })
      },
      attach: (post) => {
        tell = post
      },
      captured: (capture, which, datagrams) => take(capture, which, datagrams),
      onCaptured: (next) => {
        take = next
      }
    })
  })
}
