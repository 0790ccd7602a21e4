-- What `locker.journal.tables` declares: the log, its anchors, and the projections that are also the start-up
-- snapshot.

CREATE TABLE entry (
    seq INTEGER NOT NULL,
    public VARCHAR NOT NULL,
    personal VARCHAR,
    salt BLOB,
    personal_digest BLOB,
    hash BLOB NOT NULL,
    type TEXT GENERATED ALWAYS AS (json_extract(public, '$.type')) VIRTUAL,
    boot INTEGER GENERATED ALWAYS AS (json_extract(public, '$.boot')) VIRTUAL,
    mono INTEGER GENERATED ALWAYS AS (json_extract(public, '$.mono')) VIRTUAL,
    wall INTEGER GENERATED ALWAYS AS (json_extract(public, '$.time')) VIRTUAL,
    tq TEXT GENERATED ALWAYS AS (json_extract(public, '$.tq')) VIRTUAL,
    subject TEXT GENERATED ALWAYS AS (json_extract(public, '$.subject')) VIRTUAL,
    cause TEXT GENERATED ALWAYS AS (json_extract(public, '$.cause')) VIRTUAL,
    PRIMARY KEY (seq)
);

CREATE TABLE anchor (
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    state VARCHAR NOT NULL,
    PRIMARY KEY (seq)
);

CREATE TABLE meta (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

CREATE TABLE compartments (
    number INTEGER NOT NULL,
    record VARCHAR NOT NULL,
    deposit TEXT GENERATED ALWAYS AS (json_extract(record, '$.deposit')) VIRTUAL,
    doubt TEXT GENERATED ALWAYS AS (json_extract(record, '$.doubt')) VIRTUAL,
    fault TEXT GENERATED ALWAYS AS (json_extract(record, '$.fault')) VIRTUAL,
    PRIMARY KEY (number)
);

CREATE TABLE deposits (
    deposit VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    kind TEXT GENERATED ALWAYS AS (json_extract(record, '$.kind')) VIRTUAL,
    door INTEGER GENERATED ALWAYS AS (json_extract(record, '$.door')) VIRTUAL,
    "case" TEXT GENERATED ALWAYS AS (json_extract(record, '$.case')) VIRTUAL,
    phase TEXT GENERATED ALWAYS AS (json_extract(record, '$.phase')) VIRTUAL,
    since_ms INTEGER GENERATED ALWAYS AS (json_extract(record, '$.since_ms')) VIRTUAL,
    PRIMARY KEY (deposit)
);

CREATE TABLE openings (
    grant VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    door INTEGER GENERATED ALWAYS AS (json_extract(record, '$.door')) VIRTUAL,
    purpose TEXT GENERATED ALWAYS AS (json_extract(record, '$.purpose')) VIRTUAL,
    phase TEXT GENERATED ALWAYS AS (json_extract(record, '$.phase')) VIRTUAL,
    PRIMARY KEY (grant)
);

CREATE TABLE codes (
    code VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    deposit TEXT GENERATED ALWAYS AS (json_extract(record, '$.deposit')) VIRTUAL,
    locator TEXT GENERATED ALWAYS AS (json_extract(record, '$.locator')) VIRTUAL,
    ended TEXT GENERATED ALWAYS AS (json_extract(record, '$.ended')) VIRTUAL,
    PRIMARY KEY (code)
);

CREATE TABLE authorisations (
    authorisation VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    locator TEXT GENERATED ALWAYS AS (json_extract(record, '$.locator')) VIRTUAL,
    valid_until_ms INTEGER GENERATED ALWAYS AS (json_extract(record, '$.valid_until_ms')) VIRTUAL,
    deposit TEXT GENERATED ALWAYS AS (json_extract(record, '$.deposit')) VIRTUAL,
    ended TEXT GENERATED ALWAYS AS (json_extract(record, '$.ended')) VIRTUAL,
    PRIMARY KEY (authorisation)
);

CREATE TABLE items (
    item VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    "case" TEXT GENERATED ALWAYS AS (json_extract(record, '$.case')) VIRTUAL,
    recalled TEXT GENERATED ALWAYS AS (json_extract(record, '$.recalled')) VIRTUAL,
    PRIMARY KEY (item)
);

CREATE TABLE staff (
    staff VARCHAR NOT NULL,
    record VARCHAR NOT NULL,
    until_ms INTEGER GENERATED ALWAYS AS (json_extract(record, '$.until_ms')) VIRTUAL,
    PRIMARY KEY (staff)
);
