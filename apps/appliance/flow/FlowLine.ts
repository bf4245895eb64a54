/**
 * The line between the flow workers and those that do not know them: what is decided about exporters goes out on it, captured datagrams
 * come in. It stands before the workers do, so that a thread that is started again gets what holds now.
 */
import { Context, Layer } from "effect"
import type { CapturedDatagram, ExporterSettings, ToFlowWorker } from "../flow-worker/messages.ts"

export class FlowLine extends Context.Service<
  FlowLine,
  {
    /** To every worker that runs; nothing happens while none does. */
    readonly tell: (message: ToFlowWorker) => void
    readonly exporters: () => ExporterSettings
    /** Keeps them for workers to come, and tells those that run. */
    readonly setExporters: (settings: ExporterSettings) => void
    /** The corridor says how to reach its workers. */
    readonly attach: (tell: (message: ToFlowWorker) => void) => void
    readonly captured: (capture: string, datagrams: ReadonlyArray<CapturedDatagram>) => void
    /** The one who takes captured datagrams, synchronously. */
    readonly onCaptured: (take: (capture: string, datagrams: ReadonlyArray<CapturedDatagram>) => void) => void
  }
>()("appliance/flow/FlowLine") {
  static readonly layer = Layer.sync(FlowLine, () => {
    let settings: ExporterSettings = { requireApproval: false, policies: [] }
    let tell: (message: ToFlowWorker) => void = () => {}
    let take: (capture: string, datagrams: ReadonlyArray<CapturedDatagram>) => void = () => {}
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
      captured: (capture, datagrams) => take(capture, datagrams),
      onCaptured: (next) => {
        take = next
      }
    })
  })
}
