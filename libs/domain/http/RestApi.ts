/** `/api/v1`: the map for programs. The same schemas as the console's RPC, with a bearer token or a session. */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Asset, AssetDetail, AssetQuery } from "../Asset.ts"
import { CoverageQuery, CoverageReport } from "../CoverageReport.ts"
import { Dependency, DependencyDetail, DependencyQuery } from "../Dependency.ts"
import { Exporter } from "../Exporter.ts"
import { HealthDetail } from "../Health.ts"
import { AssetId, DependencyId, Page } from "../ids.ts"
import { Needs } from "../rpc/Authorised.ts"
import { Topology, TopologyQuery } from "../Topology.ts"
import { HttpAuthorised, InputChecked } from "./HttpAuthorised.ts"
import { InputRefused, NotThere } from "./problems.ts"

const described = (summary: string) => OpenApi.annotations({ summary })

class Assets extends HttpApiGroup.make("assets")
  .add(
    HttpApiEndpoint.get("listAssets", "/assets", { query: AssetQuery, success: Page(Asset), error: InputRefused })
      .annotate(Needs, "map.read")
      .annotateMerge(described("Assets that the filter matches, a page at a time"))
  )
  .add(
    HttpApiEndpoint.get("getAsset", "/assets/:id", { params: { id: AssetId }, success: AssetDetail, error: NotThere })
      .annotate(Needs, "map.read")
      .annotateMerge(described("One asset with its services and addresses over time"))
  )
  .add(
    HttpApiEndpoint.get("listAssetDependencies", "/assets/:id/dependencies", {
      params: { id: AssetId },
      query: { side: Schema.optionalKey(Schema.Literals(["client", "server", "both"])) },
      success: Schema.Array(Dependency),
      error: NotThere
    })
      .annotate(Needs, "map.read")
      .annotateMerge(described("What an asset needs (side=client), whom it serves (side=server), or both"))
  ) {}

class Dependencies extends HttpApiGroup.make("dependencies")
  .add(
    HttpApiEndpoint.get("listDependencies", "/dependencies", {
      query: DependencyQuery,
      success: Page(Dependency),
      error: InputRefused
    })
      .annotate(Needs, "map.read")
      .annotateMerge(described("Dependencies that the filter matches, a page at a time"))
  )
  .add(
    HttpApiEndpoint.get("getDependency", "/dependencies/:id", {
      params: { id: DependencyId },
      success: DependencyDetail,
      error: NotThere
    })
      .annotate(Needs, "map.read")
      .annotateMerge(described("One dependency with its evidence, validity and traffic"))
  ) {}

class Map extends HttpApiGroup.make("topology")
  .add(
    HttpApiEndpoint.get("getTopology", "/topology", { query: TopologyQuery, success: Topology, error: InputRefused })
      .annotate(Needs, "map.read")
      .annotateMerge(described("Nodes and edges, now or at an instant"))
  )
  .add(
    HttpApiEndpoint.get("getCoverage", "/coverage", { query: CoverageQuery, success: CoverageReport, error: NotThere })
      .annotate(Needs, "map.read")
      .annotateMerge(described("How well an exporter was heard, or a network looked at, window by window"))
  ) {}

class System extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("listExporters", "/exporters", { success: Schema.Array(Exporter) })
      .annotate(Needs, "exporters.read")
      .annotateMerge(described("Who sends flows, and how well it is heard"))
  )
  .add(
    HttpApiEndpoint.get("getHealth", "/health", { success: HealthDetail })
      .annotate(Needs, "health.read")
      .annotateMerge(described("Health in detail: actors, warnings, the account of every datagram"))
  ) {}

/** Both ways in; the generated document has no other place for them. */
const withSecurity = (spec: Record<string, unknown>) => {
  const components = (spec["components"] ?? {}) as Record<string, unknown>
  return {
    ...spec,
    components: {
      ...components,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "flowlens token create --role ROLE" },
        session: { type: "apiKey", in: "cookie", name: "flowlens_session", description: "the console's session" }
      }
    },
    security: [{ token: [] }, { session: [] }]
  }
}

export class RestApi extends HttpApi.make("flowlens")
  .add(Assets, Dependencies, Map, System)
  .prefix("/api/v1")
  .middleware(HttpAuthorised)
  .middleware(InputChecked)
  // every field that is wrong, not the first one, with what it was
  .annotate(HttpApi.ParseOptions, { errors: "all", reportInput: true })
  .annotateMerge(
    OpenApi.annotations({
      title: "FlowLens",
      version: "1",
      description: "What talks to what, since when, and how sure we are.",
      transform: withSecurity
    })
  ) {}
