/** `/api/v1` from the stores that also serve the console. */
import { Context, Effect, Layer, Option } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { HttpAuthorised } from "#domain/http/HttpAuthorised.ts"
import { NotAuthenticated, NotPermitted } from "#domain/http/problems.ts"
import { RestApi } from "#domain/http/RestApi.ts"
import { CurrentCaller } from "#domain/Operator.ts"
import { Needs } from "#domain/rpc/Authorised.ts"
import { AssetStore } from "#pipeline/store/AssetStore.ts"
import { CoverageStore } from "#pipeline/store/CoverageStore.ts"
import { DependencyStore } from "#pipeline/store/DependencyStore.ts"
import { RawFlowStore } from "#pipeline/store/RawFlowStore.ts"
import { TopologyStore } from "#pipeline/store/TopologyStore.ts"
import { Gate } from "../auth/Gate.ts"
import { CallSource } from "../rpc/Connections.ts"
import { Live } from "../rpc/Live.ts"
import { admit } from "./admission.ts"
import { layerInputChecked } from "./input.ts"
import { restExporters } from "./rest-exporters.ts"
import { badFilter, notThere } from "./to-problem.ts"
import { topologyJson } from "./topology-json.ts"

const layerHttpAuthorised = Layer.effect(
  HttpAuthorised,
  Effect.gen(function* () {
    const gate = yield* Gate
    return HttpAuthorised.of((httpEffect, { endpoint }) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const { caller, source } = yield* admit(
          request,
          Option.getOrUndefined(Context.getOption(endpoint.annotations, Needs))
        ).pipe(
          Effect.provideService(Gate, gate),
          Effect.catchTags({
            Unauthorized: (error) => Effect.fail(new NotAuthenticated({ detail: error.message })),
            Forbidden: (error) => Effect.fail(new NotPermitted({ detail: error.message }))
          })
        )
        return yield* httpEffect.pipe(Effect.provideService(CurrentCaller, caller), Effect.provideService(CallSource, source))
      })
    )
  })
)

const assets = HttpApiBuilder.group(
  RestApi,
  "assets",
  Effect.fnUntraced(function* (group) {
    const store = yield* AssetStore
    const dependencies = yield* DependencyStore
    return group
      .handle("listAssets", ({ query }) => Effect.catchTag(store.page(query), "FilterInvalid", badFilter))
      .handle("getAsset", ({ params }) => Effect.catchTag(store.get(params.id), "AssetNotFound", notThere))
      .handle("listAssetDependencies", ({ params, query }) =>
        Effect.catchTag(dependencies.ofAsset(params.id, query.side ?? "both"), "AssetNotFound", notThere)
      )
  })
)

const dependencies = HttpApiBuilder.group(
  RestApi,
  "dependencies",
  Effect.fnUntraced(function* (group) {
    const store = yield* DependencyStore
    return group
      .handle("listDependencies", ({ query }) => Effect.catchTag(store.page(query), "FilterInvalid", badFilter))
      .handle("getDependency", ({ params }) => Effect.catchTag(store.get(params.id), "DependencyNotFound", notThere))
  })
)

const topology = HttpApiBuilder.group(
  RestApi,
  "topology",
  Effect.fnUntraced(function* (group) {
    const store = yield* TopologyStore
    const coverage = yield* CoverageStore
    return group
      .handle("getTopology", ({ query }) => Effect.catchTag(Effect.map(store.get(query), topologyJson), "FilterInvalid", badFilter))
      .handle("getCoverage", ({ query }) => Effect.catchTag(coverage.report(query), "CoverageNotFound", notThere))
  })
)

const flows = HttpApiBuilder.group(
  RestApi,
  "flows",
  Effect.fnUntraced(function* (group) {
    const store = yield* RawFlowStore
    return group.handle("searchFlows", ({ query }) => Effect.catchTag(store.search(query), "FilterInvalid", badFilter))
  })
)

const system = HttpApiBuilder.group(
  RestApi,
  "system",
  Effect.fnUntraced(function* (group) {
    const live = yield* Live
    return group.handle("getHealth", () => live.healthNow)
  })
)

export const layerRest = HttpApiBuilder.layer(RestApi).pipe(
  Layer.provide([assets, dependencies, topology, flows, restExporters, system]),
  Layer.provide([layerHttpAuthorised, layerInputChecked])
)
