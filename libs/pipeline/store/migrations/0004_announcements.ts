/** What exporters announced of themselves in options data: sampling rates, when they started. */
import { statements } from "./statements.ts"

export const announcements = statements`
CREATE TABLE announcements (
  exporter inet NOT NULL,
  version smallint NOT NULL,
  observation_domain bigint NOT NULL,
  said jsonb NOT NULL,
  PRIMARY KEY (exporter, version, observation_domain)
);
COMMENT ON COLUMN announcements.said IS 'An Announcement of decode/TemplateCache.ts';
`
