-- What an account has before anyone says where its numbers lead.
insert into extensions (context, exten, priority, app, appdata) values
    ('from-carrier', '+33142685300', 1, 'Hangup', '1'), ('from-carrier', '+33142685302', 1, 'Hangup', '1');
