-- The columns of Asterisk's own schema (its Alembic scripts) that the bench needs, with their types.
create type ast_bool_values as enum ('0', '1', 'off', 'on', 'false', 'true', 'no', 'yes');

create table extensions (
    id bigserial primary key,
    context varchar(40) not null,
    exten varchar(40) not null,
    priority integer not null,
    app varchar(40) not null,
    appdata varchar(256) not null,
    unique (context, exten, priority)
);

create table ps_endpoints (
    id varchar(255) primary key,
    transport varchar(40),
    aors varchar(2048),
    context varchar(40),
    disallow varchar(200),
    allow varchar(200),
    direct_media ast_bool_values,
    callerid varchar(40),
    mailboxes varchar(40),
    send_pai ast_bool_values,
    trust_id_inbound ast_bool_values
);

create table ps_aors (
    id varchar(255) primary key,
    contact varchar(255),
    max_contacts integer,
    qualify_frequency integer
);

create table voicemail (
    uniqueid serial primary key,
    context varchar(80) not null,
    mailbox varchar(80) not null,
    password varchar(80) not null,
    fullname varchar(80),
    email varchar(80)
);

-- Asterisk reads only.
create role asterisk login password 'bench';
grant select on all tables in schema public to asterisk;

-- The least rights with which Strowger works: no passwords of mailboxes, no phones to write.
create role strowger login password 'bench';
grant select, insert, update, delete on extensions to strowger;
grant usage on sequence extensions_id_seq to strowger;
grant select (id, context, aors, callerid, mailboxes) on ps_endpoints to strowger;
grant select (context, mailbox, fullname, email) on voicemail to strowger;
