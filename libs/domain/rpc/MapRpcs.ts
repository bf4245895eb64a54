/** Overview, topology, assets, dependencies. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Address } from "../Address.ts"
import { Asset, AssetDetail, AssetNotFound, AssetQuery } from "../Asset.ts"
import { CoverageNotFound, CoverageQuery, CoverageReport } from "../CoverageReport.ts"
import { Declaration, Dependency, DependencyDetail, DependencyNotFound, DependencyQuery, DirectionUnknown } from "../Dependency.ts"
import { AssetId, DependencyId, Page } from "../ids.ts"
import { RawFlowPage, RawFlowQuery } from "../RawFlow.ts"
import { Overview } from "../Status.ts"
import { FilterInvalid, TopologyQuery } from "../Topology.ts"
import { TopologyColumns } from "../TopologyColumns.ts"
import { Needs } from "./Authorised.ts"

export const AssetPage = Page(Asset)
export const DependencyPage = Page(Dependency)

/** Dependencies that a declaration, or taking it back, turned round. */
export const DirectionsTurned = Schema.Struct({ turned: Schema.Int })

/** That this address and port serves, or with `serves: false` that it never does; port 0: whatever the port, of what never serves only. */
export const DeclarationWord = Schema.Struct({
  address: Address,
  protocol: Schema.Literals([6, 17, 132]),
  port: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })),
  serves: Schema.optionalKey(Schema.Boolean),
  note: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500)))
}).check(Schema.makeFilter(({ port, serves }) => port > 0 || serves === false || "what serves has a port"))

/** Hits of the palette and the search field, best first. */
export const SearchHit = Schema.Struct({
  kind: Schema.Literals(["asset", "dependency"]),
  id: Schema.String,
  title: Schema.String,
  detail: Schema.String
})

export class MapRpcs extends RpcGroup.make(
  Rpc.make("OverviewWatch", { success: Overview, stream: true }).annotate(Needs, "map.read"),
  Rpc.make("TopologyGet", { payload: TopologyQuery, success: TopologyColumns, error: FilterInvalid }).annotate(Needs, "map.read"),
  /** Sends a number that grows whenever the live map changed: fetch again when it does. */
  Rpc.make("MapVersionWatch", { success: Schema.Int, stream: true }).annotate(Needs, "map.read"),
  /** How well an exporter was heard, or a network looked at, window by window. */
  Rpc.make("CoverageList", { payload: CoverageQuery, success: CoverageReport, error: CoverageNotFound }).annotate(
    Needs,
    "map.read"
  ),
  Rpc.make("AssetList", { payload: AssetQuery, success: AssetPage, error: FilterInvalid }).annotate(Needs, "map.read"),
  Rpc.make("AssetGet", { payload: { id: AssetId }, success: AssetDetail, error: AssetNotFound }).annotate(Needs, "map.read"),
  Rpc.make("AssetDependencies", {
    payload: { id: AssetId, side: Schema.Literals(["client", "server", "both"]) },
    success: Schema.Array(Dependency),
    error: AssetNotFound
  }).annotate(Needs, "map.read"),
  Rpc.make("DependencyList", { payload: DependencyQuery, success: DependencyPage, error: FilterInvalid }).annotate(
    Needs,
    "map.read"
  ),
  Rpc.make("DependencyGet", { payload: { id: DependencyId }, success: DependencyDetail, error: DependencyNotFound }).annotate(
    Needs,
    "map.read"
  ),
  /** Single flow records, where they are kept. */
  Rpc.make("FlowSearch", { payload: RawFlowQuery, success: RawFlowPage, error: FilterInvalid }).annotate(Needs, "flows.read"),
  /**
   * Says which end of a dependency serves: `server` as it is drawn, `client` the other one; `evidence` takes the word back that decides
   * on it. Holds for that address and port, whoever speaks with it, from now on and for what is stored.
   */
  Rpc.make("DependencyDeclare", {
    payload: {
      id: DependencyId,
      serves: Schema.Literals(["server", "client", "evidence"]),
      note: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500)))
    },
    success: DependencyDetail,
    error: Schema.Union([DependencyNotFound, DirectionUnknown])
  }).annotate(Needs, "dependencies.write"),
  /** What operators declared, latest first. */
  Rpc.make("DeclarationList", { success: Schema.Array(Declaration) }).annotate(Needs, "map.read"),
  /** Says it whether or not anybody was seen to speak with that end; says it anew where something was said. */
  Rpc.make("DeclarationAdd", { payload: DeclarationWord, success: DirectionsTurned }).annotate(Needs, "dependencies.write"),
  /** Takes it back; what it turned turns back. */
  Rpc.make("DeclarationRemove", {
    payload: { address: Address, protocol: Schema.Int, port: Schema.Int },
    success: DirectionsTurned
  }).annotate(Needs, "dependencies.write"),
  Rpc.make("Search", { payload: { text: Schema.String }, success: Schema.Array(SearchHit) }).annotate(Needs, "map.read")
) {}
