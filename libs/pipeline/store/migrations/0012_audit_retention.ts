/**
 * The audit log may be shortened at its old end, and there only: an entry goes when `audit_tail` names it or a later one, and that moves
 * forward only, to an entry that is there, past none that is younger than thirty days. The rest of the chain is checked from there.
 */
import { statements } from "./statements.ts"

export const auditRetention = statements`
-- the last entry that was removed
CREATE TABLE audit_tail (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  sequence bigint NOT NULL,
  hash text NOT NULL
);
INSERT INTO audit_tail (sequence, hash) VALUES (0, repeat('0', 64));
CREATE TRIGGER audit_tail_stays BEFORE DELETE OR TRUNCATE ON audit_tail
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_young_tail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sequence <= OLD.sequence
    OR NOT EXISTS (SELECT 1 FROM audit_log WHERE sequence = NEW.sequence AND hash = NEW.hash)
    OR EXISTS (SELECT 1 FROM audit_log WHERE sequence <= NEW.sequence AND at > now() - interval '30 days')
  THEN
    RAISE EXCEPTION 'entries up to % of audit_log are refused to go', NEW.sequence USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END;
$$;
CREATE TRIGGER audit_tail_moves_forward BEFORE UPDATE ON audit_tail FOR EACH ROW EXECUTE FUNCTION refuse_young_tail();

CREATE FUNCTION refuse_beyond_tail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.sequence > (SELECT sequence FROM audit_tail) THEN
    RAISE EXCEPTION 'DELETE of audit_log is refused: it is append-only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN OLD;
END;
$$;
DROP TRIGGER audit_log_append_only ON audit_log;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_end_stays BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_beyond_tail();
CREATE INDEX audit_log_at ON audit_log (at);
`
