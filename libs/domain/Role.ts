/**
 * Who may do what. Roles hold named capabilities; what is not named is denied. The server enforces the same table that the console
 * uses to disable a control and say why.
 */
import { Schema } from "effect"

export const Role = Schema.Literals(["admin", "operator", "analyst", "viewer"])
export type Role = typeof Role.Type

export const Capability = Schema.Literals([
  "map.read",
  "dependencies.write",
  "exporters.read",
  "exporters.write",
  "health.read",
  "actors.restart",
  "metrics.read",
  "flows.read",
  "settings.read",
  "operators.write",
  "tokens.own",
  "tokens.any",
  "audit.read"
])
export type Capability = typeof Capability.Type

const viewer: ReadonlyArray<Capability> = ["map.read", "exporters.read", "health.read", "tokens.own"]
const analyst: ReadonlyArray<Capability> = [...viewer, "metrics.read", "flows.read"]
const operator: ReadonlyArray<Capability> = [...analyst, "dependencies.write", "exporters.write", "actors.restart", "settings.read"]
const admin: ReadonlyArray<Capability> = [...operator, "operators.write", "tokens.any", "audit.read"]

export const capabilities: Record<Role, ReadonlySet<Capability>> = {
  viewer: new Set(viewer),
  analyst: new Set(analyst),
  operator: new Set(operator),
  admin: new Set(admin)
}

export const may = (role: Role, capability: Capability): boolean => capabilities[role].has(capability)

/** The sentence beside a disabled control. */
export const whyNot = (role: Role, capability: Capability): string | undefined =>
  may(role, capability) ? undefined : `${capability} is not granted to the role ${role}; ask an administrator`
