-- Until when a plan is kept that nobody has enforced yet; null = for as long as its enforcement.
alter table plans add column until text;
create index plans_by_end on plans (until) where until is not null;
