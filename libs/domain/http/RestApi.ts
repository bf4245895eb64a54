/** `/api/v1`: the map for programs. The same schemas as the console's RPC, with a bearer token or a session. */
import { Context, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Asset, AssetDetail, AssetQuery } from "../Asset.ts"
import { Capture, CaptureFile, CaptureId, CaptureRequest } from "../Capture.ts"
import { CoverageQuery, CoverageReport } from "../CoverageReport.ts"
import { Dependency, DependencyDetail, DependencyQuery } from "../Dependency.ts"
import { Exporter, ExporterHistory, TemplateSummary } from "../Exporter.ts"
import { ExporterChange, ExporterPolicy } from "../ExporterPolicy.ts"
import { HealthDetail } from "../Health.ts"
import { AssetId, DependencyId, ExporterId, Page } from "../ids.ts"
import { RawFlowPage, RawFlowQuery } from "../RawFlow.ts"
import type { Capability } from "../Role.ts"
import { Needs } from "../rpc/Authorised.ts"
import { ExporterAddition } from "../rpc/ExporterRpcs.ts"
import { Topology, TopologyQuery } from "../Topology.ts"
import { HttpAuthorised, InputChecked } from "./HttpAuthorised.ts"
import { Conflict, InputRefused, NotThere } from "./problems.ts"

/** Who may call it, and what the reference says of it. */
const told = (capability: Capability, summary: string) => Context.add(OpenApi.annotations({ summary }), Needs, capability)

class Assets extends HttpApiGroup.make("assets")
  .add(
    HttpApiEndpoint.get("listAssets", "/assets", { query: AssetQuery, success: Page(Asset), error: InputRefused }).annotateMerge(
      told("map.read", "Assets that the filter matches, a page at a time")
    )
  )
  .add(
    HttpApiEndpoint.get("getAsset", "/assets/:id", {
      params: { id: AssetId },
      success: AssetDetail,
      error: NotThere
    }).annotateMerge(told("map.read", "One asset with its services and addresses over time"))
  )
  .add(
    HttpApiEndpoint.get("listAssetDependencies", "/assets/:id/dependencies", {
      params: { id: AssetId },
      query: { side: Schema.optionalKey(Schema.Literals(["client", "server", "both"])) },
      success: Schema.Array(Dependency),
      error: NotThere
    }).annotateMerge(told("map.read", "What an asset needs (side=client), whom it serves (side=server), or both"))
  ) {}

class Dependencies extends HttpApiGroup.make("dependencies")
  .add(
    HttpApiEndpoint.get("listDependencies", "/dependencies", {
      query: DependencyQuery,
      success: Page(Dependency),
      error: InputRefused
    }).annotateMerge(told("map.read", "Dependencies that the filter matches, a page at a time"))
  )
  .add(
    HttpApiEndpoint.get("getDependency", "/dependencies/:id", {
      params: { id: DependencyId },
      success: DependencyDetail,
      error: NotThere
    }).annotateMerge(told("map.read", "One dependency with its evidence, validity and traffic"))
  ) {}

class Map extends HttpApiGroup.make("topology")
  .add(
    HttpApiEndpoint.get("getTopology", "/topology", { query: TopologyQuery, success: Topology, error: InputRefused }).annotateMerge(
      told("map.read", "Nodes and edges, now or at an instant")
    )
  )
  .add(
    HttpApiEndpoint.get("getCoverage", "/coverage", {
      query: CoverageQuery,
      success: CoverageReport,
      error: NotThere
    }).annotateMerge(told("map.read", "How well an exporter was heard, or a network looked at, window by window"))
  ) {}

class Flows extends HttpApiGroup.make("flows").add(
  HttpApiEndpoint.get("searchFlows", "/flows", { query: RawFlowQuery, success: RawFlowPage, error: InputRefused }).annotateMerge(
    told("flows.read", "Single flow records, newest first, where flow_raw.keep is on")
  )
) {}

const exporterId = { id: ExporterId }

class Exporters extends HttpApiGroup.make("exporters")
  .add(
    HttpApiEndpoint.get("listExporters", "/exporters", { success: Schema.Array(Exporter) }).annotateMerge(
      told("exporters.read", "Who sends flows, and how well it is heard")
    )
  )
  .add(
    HttpApiEndpoint.get("getExporter", "/exporters/:id", {
      params: exporterId,
      success: Exporter,
      error: NotThere
    }).annotateMerge(told("exporters.read", "One exporter: its figures, its policy, what the coach says of it"))
  )
  .add(
    HttpApiEndpoint.get("listExporterTemplates", "/exporters/:id/templates", {
      params: exporterId,
      success: Schema.Array(TemplateSummary),
      error: NotThere
    }).annotateMerge(told("exporters.read", "Templates an exporter sent, field by field"))
  )
  .add(
    HttpApiEndpoint.get("getExporterHistory", "/exporters/:id/history", {
      params: exporterId,
      success: ExporterHistory,
      error: NotThere
    }).annotateMerge(told("exporters.read", "Records, losses and malformed datagrams of each minute of the last hour"))
  )
  .add(
    HttpApiEndpoint.post("addExporter", "/exporters", {
      payload: ExporterAddition,
      success: Schema.Struct({ id: ExporterId }).pipe(HttpApiSchema.status(201)),
      error: Conflict
    }).annotateMerge(told("exporters.write", "An exporter before it sends: named and approved"))
  )
  .add(
    HttpApiEndpoint.patch("changeExporter", "/exporters/:id", {
      params: exporterId,
      payload: ExporterChange,
      success: Schema.Struct({ name: Schema.NullOr(Schema.String), policy: ExporterPolicy }),
      error: NotThere
    }).annotateMerge(
      told(
        "exporters.write",
        "Approve, block, name, override the sampling rate, set the silence limit; answers with what was before"
      )
    )
  )
  .add(
    HttpApiEndpoint.delete("forgetExporter", "/exporters/:id", {
      params: exporterId,
      success: HttpApiSchema.NoContent,
      error: NotThere
    }).annotateMerge(told("exporters.write", "Forget an exporter; should it send again, it is new"))
  )
  .add(
    HttpApiEndpoint.get("listCaptures", "/exporters/:id/captures", {
      params: exporterId,
      success: Schema.Array(Capture),
      error: NotThere
    }).annotateMerge(told("exporters.read", "Captures of an exporter, newest first"))
  )
  .add(
    HttpApiEndpoint.post("startCapture", "/exporters/:id/captures", {
      params: exporterId,
      payload: CaptureRequest,
      success: Capture.pipe(HttpApiSchema.status(202)),
      error: [NotThere, Conflict]
    }).annotateMerge(
      told("exporters.write", "Capture the last datagrams of an exporter, and the next as they come; one capture at a time")
    )
  )
  .add(
    HttpApiEndpoint.get("getCapture", "/exporters/:id/captures/:file", {
      params: { id: ExporterId, file: CaptureFile },
      success: Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType: "application/vnd.tcpdump.pcap" })),
      error: NotThere
    }).annotateMerge(told("exporters.write", "A capture as pcap"))
  )
  .add(
    HttpApiEndpoint.delete("endCapture", "/exporters/:id/captures/:capture", {
      params: { id: ExporterId, capture: CaptureId },
      success: HttpApiSchema.NoContent,
      error: NotThere
    }).annotateMerge(told("exporters.write", "End a capture that runs and keep what it has; remove one that has ended"))
  ) {}

class System extends HttpApiGroup.make("system").add(
  HttpApiEndpoint.get("getHealth", "/health", { success: HealthDetail }).annotateMerge(
    told("health.read", "Health in detail: actors, warnings, the account of every datagram")
  )
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
  .add(Assets, Dependencies, Map, Flows, Exporters, System)
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
