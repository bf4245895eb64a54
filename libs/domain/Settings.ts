/** The resolved configuration as people see it: an allow-list, secrets redacted. */
import { Schema } from "effect"

export class SettingReading extends Schema.Class<SettingReading>("SettingReading")({
  /** e.g. `ingestion.netflow_port` */
  knob: Schema.String,
  value: Schema.String,
  /** `default`, `flowlens.yaml:12` or `FLOWLENS_…` */
  source: Schema.String,
  description: Schema.String
}) {}
