-- When an enforcement last acted in a way that the budgets of the hour count: its acceptance, or an extension.
alter table enforcements add column acted_at text not null default '';
update enforcements set acted_at = max(doc ->> '$.acceptedAt', coalesce(doc ->> '$.extendedAt[#-1]', ''));
create index enforcements_by_act on enforcements (acted_at);
