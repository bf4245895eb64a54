/** The outline of each family in a box of 16 by 16, as path data: SVG draws it in tables, the map's canvas through `Path2D`. */
import type { AssetFamily } from "#domain/AssetFamily.ts"

export const familyShapes: Record<AssetFamily, string> = {
  compute: "M2.5 2.5h11v11h-11z",
  data: "M3 4.2C3 2.9 5.2 2 8 2s5 .9 5 2.2v7.6c0 1.3-2.2 2.2-5 2.2s-5-.9-5-2.2z",
  network: "M8 1.2 14.8 8 8 14.8 1.2 8z",
  netsvc: "M8 1.8 14.6 13.6H1.4z",
  comms: "M8 14.2 1.4 2.4h13.2z",
  security: "M4.6 2.1h6.8L14.8 8l-3.4 5.9H4.6L1.2 8z",
  endpoint: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z",
  appinfra: "M8 3.6c4 0 7 2 7 4.4s-3 4.4-7 4.4S1 10.4 1 8s3-4.4 7-4.4z",
  unknown: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z"
}

/** In words, for the legend and for those who do not see it. */
export const familyWords: Record<AssetFamily, { readonly label: string; readonly shape: string }> = {
  compute: { label: "Compute", shape: "square" },
  data: { label: "Data", shape: "cylinder" },
  network: { label: "Network", shape: "diamond" },
  netsvc: { label: "Network services", shape: "triangle" },
  comms: { label: "Communication", shape: "inverted triangle" },
  security: { label: "Security", shape: "hexagon" },
  endpoint: { label: "Endpoints", shape: "circle" },
  appinfra: { label: "Application infrastructure", shape: "ellipse" },
  unknown: { label: "Unknown", shape: "dashed circle" }
}
