CREATE TABLE mail_outbox (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- the idempotency key of the email
  message jsonb NOT NULL,
  scope jsonb NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  failure text -- why it was not sent, or not yet
);
CREATE INDEX ON mail_outbox (due_at) WHERE ended_at IS NULL;
