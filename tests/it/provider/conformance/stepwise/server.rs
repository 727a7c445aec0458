//! The server of a small phone system in the manner of Wazo: a ring group, its members, its fallback and its extension number
//! are set by calls of their own, there are no versions, and a PUT drops what it leaves out. Real HTTP, real SQLite.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::{Path as Segments, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::{Value, json};
use strowger::model::{LiveAccount, ObjectRef};

type Shared = Arc<Mutex<Connection>>;
type Answer = Result<(StatusCode, Json<Value>), StatusCode>;

pub struct Server {
    pub url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(file: &Path, seed: &LiveAccount) -> Self {
        let database = Connection::open(file).unwrap();
        let tables = "create table if not exists object (
            kind text not null, id integer primary key autoincrement, document text not null);
            create table if not exists extension (id integer primary key autoincrement, exten text not null unique,
            group_id integer unique)";
        database.execute_batch(tables).unwrap();
        let empty: bool = database.query_row("select count(*) = 0 from object", [], |row| row.get(0)).unwrap();
        if empty {
            fill(&database, seed);
        }
        let fixed = fixed(seed);
        let router = Router::new()
            .route("/fixed", get(move || std::future::ready(Json(fixed))))
            .route("/groups", get(|State(db): State<Shared>| async move { list(&db, "group") }).post(create_group))
            .route("/groups/{id}", put(put_group).delete(delete_group))
            .route("/groups/{id}/members", put(put_members))
            .route("/groups/{id}/fallback", put(put_fallback))
            .route("/groups/{id}/extension/{extension}", put(assign).delete(release))
            .route("/extensions", post(create_extension).get(extensions))
            .route("/numbers", get(|State(db): State<Shared>| async move { list(&db, "number") }))
            .route("/numbers/{id}", put(put_number))
            .with_state(Arc::new(Mutex::new(database)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, task }
    }
}

fn target(reference: Option<&ObjectRef>) -> Value {
    reference.map_or(Value::Null, |to| json!({ "kind": to.kind.as_str(), "id": &*to.id.0 }))
}

/// What this system only reads.
fn fixed(seed: &LiveAccount) -> Value {
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    let users = seed.users.iter().map(|user| {
        let extension = user.extension.as_ref().map(strowger::model::ExtensionNumber::as_str);
        json!({ "id": &*user.id.0, "name": user.name, "email": text(&user.email), "extension": extension })
    });
    json!({ "users": users.collect::<Vec<_>>(), "default": seed.account.default_number.map(|one| one.to_string()) })
}

fn fill(database: &Connection, seed: &LiveAccount) {
    let insert = |kind: &str, document: &Value| {
        let row = params![kind, document.to_string()];
        database.execute("insert into object (kind, document) values (?, ?)", row).unwrap();
        database.last_insert_rowid()
    };
    let mut ids = std::collections::HashMap::new();
    for group in &seed.ring_groups {
        let members: Vec<Value> = group.members.iter().map(|member| target(Some(member))).collect();
        let id = insert(
            "group",
            &json!({
                "label": group.name.as_str(), "ring_strategy": group.ring.as_str(),
                "timeout": group.ring_for.map(strowger::model::RingFor::seconds), "members": members,
                "fallback": target(group.no_answer.as_ref()), "music_on_hold": "jazz",
            }),
        );
        ids.insert(group.id.clone(), id.to_string());
        if let Some(extension) = &group.extension {
            let row = params![extension.as_str(), id];
            database.execute("insert into extension (exten, group_id) values (?, ?)", row).unwrap();
        }
    }
    for number in &seed.numbers {
        let mut to = target(number.to.as_ref());
        if let Some(id) = number.to.as_ref().and_then(|to| ids.get(&to.id)) {
            to["id"] = json!(id);
        }
        let number = number.number.to_string().replacen("+33", "0", 1);
        let number = format!("{} {}", &number[..2], &number[2..]);
        insert("number", &json!({ "number": number, "destination": to, "description": "", "recording": true }));
    }
}

fn objects(database: &Connection, kind: &str) -> Vec<Value> {
    let mut query = database
        .prepare(
            "select object.id, document, exten, extension.id from object
             left join extension on group_id = object.id and kind = 'group' where kind = ? order by object.id",
        )
        .unwrap();
    let rows = query.query_map([kind], |row| {
        let mut object: Value = serde_json::from_str(&row.get::<_, String>(1)?).unwrap();
        object["id"] = json!(row.get::<_, i64>(0)?.to_string());
        if let Some(exten) = row.get::<_, Option<String>>(2)? {
            object["extension"] = json!({ "exten": exten, "id": row.get::<_, i64>(3)? });
        }
        Ok(object)
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn list(database: &Shared, kind: &str) -> Json<Value> {
    Json(objects(&database.lock().unwrap(), kind).into())
}

fn object(database: &Connection, kind: &str, id: i64) -> Answer {
    let id = id.to_string();
    let found = objects(database, kind).into_iter().find(|object| object["id"] == id);
    found.map(|object| (StatusCode::OK, Json(object))).ok_or(StatusCode::NOT_FOUND)
}

/// Stores a document without what is kept elsewhere.
fn store(database: &Connection, kind: &str, id: i64, mut document: Value) -> Answer {
    let fields = document.as_object_mut().ok_or(StatusCode::BAD_REQUEST)?;
    fields.remove("id");
    fields.remove("extension");
    let row = params![document.to_string(), id, kind];
    database.execute("update object set document = ? where id = ? and kind = ?", row).unwrap();
    object(database, kind, id)
}

async fn create_group(State(database): State<Shared>, Json(mut group): Json<Value>) -> Answer {
    group["music_on_hold"] = json!("silence");
    group["members"] = json!([]);
    let database = database.lock().unwrap();
    database.execute("insert into object (kind, document) values ('group', ?)", [group.to_string()]).unwrap();
    let (_, created) = object(&database, "group", database.last_insert_rowid())?;
    Ok((StatusCode::CREATED, created))
}

async fn put_group(State(database): State<Shared>, Segments(id): Segments<i64>, Json(group): Json<Value>) -> Answer {
    store(&database.lock().unwrap(), "group", id, group)
}

async fn put_number(State(database): State<Shared>, Segments(id): Segments<i64>, Json(number): Json<Value>) -> Answer {
    store(&database.lock().unwrap(), "number", id, number)
}

async fn put_members(State(database): State<Shared>, Segments(id): Segments<i64>, Json(value): Json<Value>) -> Answer {
    set(&database.lock().unwrap(), id, "members", value)
}

async fn put_fallback(State(database): State<Shared>, Segments(id): Segments<i64>, Json(value): Json<Value>) -> Answer {
    set(&database.lock().unwrap(), id, "fallback", value)
}

fn set(database: &Connection, id: i64, field: &str, value: Value) -> Answer {
    let (_, Json(mut group)) = object(database, "group", id)?;
    group[field] = value;
    store(database, "group", id, group)
}

async fn delete_group(State(database): State<Shared>, Segments(id): Segments<i64>) -> StatusCode {
    let database = database.lock().unwrap();
    let used = database.query_row("select 1 from extension where group_id = ?", [id], |_| Ok(()));
    if used.optional().unwrap().is_some() {
        return StatusCode::CONFLICT;
    }
    let deleted = database.execute("delete from object where kind = 'group' and id = ?", [id]).unwrap();
    if deleted == 0 { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT }
}

async fn create_extension(State(database): State<Shared>, Json(body): Json<Value>) -> Answer {
    let database = database.lock().unwrap();
    let inserted = database.execute("insert into extension (exten) values (?)", [body["exten"].as_str()]);
    inserted.map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": database.last_insert_rowid() }))))
}

async fn extensions(State(database): State<Shared>) -> Json<Value> {
    let database = database.lock().unwrap();
    let mut query = database.prepare("select id, exten, group_id from extension").unwrap();
    let rows = query.query_map([], |row| {
        let (id, exten, group): (i64, String, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(json!({ "id": id, "exten": exten, "group": group.map(|id| id.to_string()) }))
    });
    Json(rows.unwrap().map(Result::unwrap).collect())
}

async fn assign(State(database): State<Shared>, Segments((group, extension)): Segments<(i64, i64)>) -> StatusCode {
    let row = params![group, extension];
    let sql = "update extension set group_id = ? where id = ? and group_id is null";
    match database.lock().unwrap().execute(sql, row) {
        Ok(1) => StatusCode::NO_CONTENT,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Takes the extension number away from the group, and out of the system.
async fn release(State(database): State<Shared>, Segments((group, extension)): Segments<(i64, i64)>) -> StatusCode {
    let row = params![extension, group];
    let deleted = database.lock().unwrap().execute("delete from extension where id = ? and group_id = ?", row);
    if deleted.unwrap() == 0 { StatusCode::NOT_FOUND } else { StatusCode::NO_CONTENT }
}
