/**
 * The map as REST documents it. Rows go into the text as they are: they were read by us, and the contract's schema, which visits every
 * value of a hundred thousand, takes longer than all the rest of the answer. A test reads the text with that schema.
 */
import { Schema } from "effect"
import { HttpServerResponse } from "effect/http"
import { Topology } from "#domain/Topology.ts"
import { rowsOf, type TopologyColumns } from "#domain/TopologyColumns.ts"

const { edges: _, nodes: __, ...told } = Topology.fields
const encodeTold = Schema.encodeSync(Schema.toCodecJson(Schema.Struct(told)))

export const topologyJson = (columns: TopologyColumns): HttpServerResponse.HttpServerResponse => {
  const { edges, nodes, ...rest } = rowsOf(columns)
  return HttpServerResponse.jsonUnsafe({
    ...(encodeTold(rest) as object),
    nodes,
    edges: edges.map((edge) => ({ ...edge, bytes: String(edge.bytes) }))
  })
}
