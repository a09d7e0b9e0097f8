-- What the lists of incidents read in order: the open ones by urgency, newest first; the closed ones by age.
-- Neither holds anything that changes while an incident is worked on, so its updates stay in their page.

create index incident_urgent on incident (severity, (-id)) where open;
create index incident_past on incident (opened_at, id) where not open;
