-- What each attempt asked for, beside what it was answered; what each event was compared by, and which page of its pass
-- held it. What is from before does not tell.
alter table attempt add column request text not null default '';

alter table event add column compared text not null default '';

alter table event add column page integer not null default 0;

-- It cost a third of the writing of an event: records come in no order, so every commit wrote a page of it per event. A
-- record's events are found in the batches of its instance.
drop index event_of_record;
