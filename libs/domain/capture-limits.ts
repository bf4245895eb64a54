/** Bounds of a capture (Capture.ts), for who counts datagrams: the flow worker has no room for schemas. */
export const MOST_CAPTURED = 1000
export const LONGEST_CAPTURE_SECONDS = 60
