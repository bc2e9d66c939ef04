-- Everything that the controller remembers. Documents are JSON in `doc`; what is searched by has a column of its own.

create table enforcements (
  n integer primary key, -- order of acceptance, whatever the clock said
  id text not null unique,
  version integer not null,
  status text not null,
  customer text not null,
  doc text not null
) strict;
create index enforcements_live on enforcements (n)
  where status in ('awaiting_approval', 'enforcing', 'enforced', 'degraded', 'releasing');
create index enforcements_by_customer on enforcements (customer, n);

create table wanted (
  n integer primary key, -- order of the measures
  enforcement text not null references enforcements (id),
  device text not null,
  key text not null,
  observer integer not null,
  doc text not null,
  unique (enforcement, device, key, observer)
) strict;
create index wanted_by_device on wanted (device, n);

create table claims (
  device text not null,
  key text not null,
  doc text not null,
  primary key (device, key)
) strict, without rowid;

create table results (
  enforcement text not null references enforcements (id),
  device text not null,
  role text not null,
  doc text not null,
  primary key (enforcement, device, role)
) strict, without rowid;
create index results_by_device on results (device);

create table device_state (
  device text primary key,
  doc text not null
) strict, without rowid;

create table plans (
  id text primary key,
  doc text not null
) strict;

create table idempotency (
  n integer primary key,
  token text not null,
  key text,
  body_sha256 text not null,
  enforcement text not null references enforcements (id),
  at text not null
) strict;
create unique index idempotency_by_key on idempotency (token, key) where key is not null;
create index idempotency_by_body on idempotency (token, body_sha256, at);
create index idempotency_by_age on idempotency (at);

create table tokens (
  id text primary key,
  name text not null,
  person text not null,
  sha256 text not null unique,
  doc text not null
) strict;

create table freeze (
  one integer primary key check (one = 1),
  doc text not null
) strict;

-- The audit log. `entry` is the canonical text of the record and `leaf` its leaf hash; the other columns are computed from the entry,
-- so that they can't say anything else. A damaged entry has none of them, and can still be read and named.
create table log_entries (
  seq integer primary key,
  entry text not null,
  leaf blob not null,
  type text generated always as (iif(json_valid(entry), entry ->> '$.type', null)) virtual,
  time text generated always as (iif(json_valid(entry), entry ->> '$.time', null)) virtual,
  actor text generated always as (iif(json_valid(entry), entry ->> '$.actor.id', null)) virtual,
  enforcement text generated always as (iif(json_valid(entry), entry ->> '$.on.enforcement', null)) virtual,
  device text generated always as (iif(json_valid(entry), entry ->> '$.on.device', null)) virtual
) strict;
create index log_by_type on log_entries (type);
create index log_by_time on log_entries (time);
create index log_by_actor on log_entries (actor);
create index log_by_enforcement on log_entries (enforcement) where enforcement is not null;
create index log_by_device on log_entries (device) where device is not null;

-- Where the log ends: read and written in each append's own transaction. `edge` holds the roots of the complete subtrees, widest first.
create table log_head (
  one integer primary key check (one = 1),
  size integer not null,
  leaf blob not null,
  time text not null,
  edge blob not null
) strict;

-- What the digests in an entry's `hidden` stand for. Deleting a row erases the value; the entry stays. `value` is there to be searched by.
create table disclosures (
  seq integer not null references log_entries (seq),
  pointer text not null,
  disclosure text not null,
  value text not null,
  primary key (seq, pointer)
) strict, without rowid;
create index disclosures_of_customers on disclosures (value, seq) where pointer = '/on/customer';

-- Words of each entry, hidden ones too, for the text search.
create virtual table log_text using fts5 (
  words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

-- Lines that were about to be sent and of which nothing more is written yet.
create table open_steps (
  seq integer primary key references log_entries (seq),
  device text not null,
  step integer not null,
  enforcement text
) strict;
create index open_steps_by_step on open_steps (device, step);

create table artifacts (
  sha256 text primary key,
  kind text not null,
  packed blob not null
) strict;

-- Written by the test append after a failure, to see whether the disk takes anything again.
create table probe (
  one integer primary key check (one = 1),
  bytes blob not null
) strict;
