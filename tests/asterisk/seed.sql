-- An office: the carrier, a trunk for calls to outside numbers, and a user for each extension. All phones, and the
-- trunk's far end, are one SIPp, which behaves by the name that is called: busy-… rejects, silent-… is never answered.
insert into ps_endpoints (id, transport, aors, context, disallow, allow, direct_media, send_pai, trust_id_inbound)
values
    ('carrier', 'udp', 'carrier', 'from-carrier', 'all', 'ulaw', 'no', 'yes', 'yes'),
    ('trunk', 'udp', 'trunk', 'from-carrier', 'all', 'ulaw', 'no', 'yes', 'yes');
insert into ps_aors values ('carrier', null, 1, 0), ('trunk', 'sip:' || :'address' || ':5062', 1, 0);

create temporary table office (extension text, phone text, name text);
insert into office values
    ('201', 'amelie', 'Amélie Roux'), ('202', 'bruno', 'Bruno Leroy'), ('203', 'claire', 'Claire Petit'),
    ('204', 'david', 'David Morel'), ('205', 'busy-bea', 'Béa Simon'), ('206', 'busy-ben', 'Ben Garnier'),
    ('207', 'silent-sam', 'Sam Faure'), ('208', 'silent-sue', 'Sue Blanc'),
    -- Together they are too long for one Dial.
    ('209', 'desk-in-the-open-space-of-the-second-floor-beside-the-kitchen-north', 'Zoé Colin'),
    ('210', 'busy-in-the-open-space-of-the-second-floor-beside-the-kitchen-east', 'Éva Masson'),
    ('211', 'desk-in-the-open-space-of-the-second-floor-beside-the-kitchen-south', 'Luc Rey'),
    ('212', 'busy-in-the-open-space-of-the-second-floor-beside-the-kitchen-west', 'Max Prat');
insert into ps_endpoints
select
    phone, 'udp', phone, 'internal', 'all', 'ulaw', 'no', name || ' <' || extension || '>', extension || '@default',
    'yes', 'yes'
from office;
insert into ps_aors select phone, 'sip:' || phone || '@' || :'address' || ':5062', 1, 0 from office;
insert into voicemail (context, mailbox, password, fullname, email)
select 'default', extension, '1234', name, phone || '@example.org' from office;

-- A user's own line: the phone, then the mailbox. Strowger reads it and never writes it.
insert into extensions (context, exten, priority, app, appdata)
select 'internal', extension, 1, 'Dial', 'PJSIP/' || phone || ',2' from office
union all select 'internal', extension, 2, 'VoiceMail', extension || '@default,u' from office
union all select 'internal', extension, 3, 'Hangup', '' from office;
