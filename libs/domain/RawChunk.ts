/** Flow records on their way from a worker to `flow_raw`: columns, transferred. Row i of every column is one record. */
export interface RawChunk {
  readonly rows: number
  /** Text of each exporter that `exporter` counts. */
  readonly exporters: ReadonlyArray<string>
  readonly exporter: Uint32Array
  /** Arrival, begin and end, ms since 1970, by our clock. */
  readonly received: Float64Array
  readonly start: Float64Array
  readonly end: Float64Array
  /** 0 no address, 4, 6; addresses as in FlowBatch: integers, or 32 bytes a row. */
  readonly family: Uint8Array
  readonly source: Uint32Array
  readonly destination: Uint32Array
  readonly ipv6: Uint8Array
  readonly sourcePort: Uint16Array
  readonly destinationPort: Uint16Array
  readonly protocol: Uint8Array
  readonly tcpFlags: Uint8Array
  readonly bytes: Float64Array
  readonly packets: Float64Array
  readonly reverseBytes: Float64Array
  readonly reversePackets: Float64Array
  readonly sampling: Uint32Array
  readonly inputInterface: Uint32Array
  readonly outputInterface: Uint32Array
}

/** The memory behind a chunk, for a transfer list. */
export const chunkBuffers = (chunk: RawChunk): Array<ArrayBuffer> =>
  Object.values(chunk).flatMap((value) => (ArrayBuffer.isView(value) ? [value.buffer as ArrayBuffer] : []))

/** Empty columns for so many records of these exporters. */
export const makeChunk = (capacity: number, exporters: ReadonlyArray<string>): RawChunk => ({
  rows: 0,
  exporters,
  exporter: new Uint32Array(capacity),
  received: new Float64Array(capacity),
  start: new Float64Array(capacity),
  end: new Float64Array(capacity),
  family: new Uint8Array(capacity),
  source: new Uint32Array(capacity),
  destination: new Uint32Array(capacity),
  ipv6: new Uint8Array(capacity * 32),
  sourcePort: new Uint16Array(capacity),
  destinationPort: new Uint16Array(capacity),
  protocol: new Uint8Array(capacity),
  tcpFlags: new Uint8Array(capacity),
  bytes: new Float64Array(capacity),
  packets: new Float64Array(capacity),
  reverseBytes: new Float64Array(capacity),
  reversePackets: new Float64Array(capacity),
  sampling: new Uint32Array(capacity),
  inputInterface: new Uint32Array(capacity),
  outputInterface: new Uint32Array(capacity)
})
