//! Keys, for admin keys: make, list, revoke.
//!
//! When a key was last used is known since the server's start and not stored: a commit for every
//! use, or a version that rises while nobody writes, would cost more than it tells.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web::Data,
};

use super::{
    Service,
    auth::{Admin, Allowed},
    body::{Body, Object, elements, string},
    extract::{MediaType, path_segment},
    idempotency::Once,
    keys::{self, LastAdmin, NewKey, Role},
    kinds::Kind,
    problem::Problem,
    quota::OwnRate,
    rate_limit::Rate,
    respond::Answer,
};
use crate::names::CollectionName;

/// `GET /admin/keys`: all of them, without what opens anything.
pub(super) async fn list(_: Allowed<Admin>, service: Data<Service>) -> Answer {
    let (snapshot, used) = (service.database.snapshot(), service.keys.last_used());
    Answer::read(snapshot.version(), keys::listed(&snapshot, |id| used.get(id).copied()))
}

/// `POST /admin/keys`: makes one (201). The answer is the one time that it is shown.
pub(super) async fn create(
    _: Allowed<Admin>,
    request: HttpRequest,
    service: Data<Service>,
    body: Body,
) -> Result<Answer, Problem> {
    MediaType::require_json(&request)?;
    Once::refuse(&request)?;
    let new = read_new(body.text()?)?;
    let text = service.block(move |database| keys::make(database, &new)).await?;
    Ok(Answer::json(StatusCode::CREATED, text).with(header::CACHE_CONTROL, "no-store".to_owned()))
}

/// `DELETE /admin/keys/{key}`: revokes one (204), at once.
pub(super) async fn remove(
    _: Allowed<Admin>,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let id = path_segment(&request, "{key}")?;
    let last = if service.keys.has_given() { LastAdmin::MayGo } else { LastAdmin::Stays };
    let revoked = id.clone();
    service.block(move |database| keys::revoke(database, &id, last)).await?;
    service.keys.forget(&revoked);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn read_new(text: &str) -> Result<NewKey, Problem> {
    let mut body = Object::parse(text, "")?;
    let missing = |body: &Object<'_>, name| body.invalid(name, "the member is missing");
    let name = body.string("name")?.ok_or_else(|| missing(&body, "name"))?;
    let role = body.string("role")?.ok_or_else(|| missing(&body, "role"))?;
    let role: Role = role.parse().map_err(|rule| body.invalid("role", rule))?;
    let collections = body.take("collections").map(read_collections).transpose()?;
    let limit = body.string("rate_limit")?.map(|rate| rate.parse::<Rate>()).transpose();
    let limit = limit.map_err(|rule| body.invalid("rate_limit", rule))?;
    let burst = body.integer("rate_burst")?.map(u32::try_from).transpose();
    let burst = burst.map_err(|_| body.invalid("rate_burst", "it is less than 2^32"))?;
    body.finish()?;
    Ok(NewKey::new(&name, role, collections, OwnRate { limit, burst })?)
}

fn read_collections(text: &str) -> Result<Vec<CollectionName>, Problem> {
    let names = elements(text, "/collections")?.into_iter().enumerate();
    let read = |(place, text)| {
        let pointer = format!("/collections/{place}");
        let name = string(text).ok_or_else(|| {
            let detail = format!("{pointer}: a string is expected");
            Problem::new(Kind::InvalidBody, detail).at(&pointer)
        })?;
        CollectionName::new(&name).map_err(|invalid| {
            Problem::new(Kind::InvalidName, format!("{pointer}: {invalid}")).at(&pointer)
        })
    };
    names.map(read).collect()
}
