/** Runs layout.ts off the main thread. One request, one answer, by number. */
import { type LayoutAnswer, type LayoutRequest, layout } from "./layout.ts"

export interface LayoutJob {
  readonly job: number
  readonly request: LayoutRequest
}

export interface LayoutDone {
  readonly job: number
  readonly answer: LayoutAnswer
}

addEventListener("message", ({ data: { job, request } }: MessageEvent<LayoutJob>) => {
  postMessage({ job, answer: layout(request) } satisfies LayoutDone)
})
