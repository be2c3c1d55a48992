//! Every route of the server, in one place.
//!
//! Invariant: a path that is known answers a method that is not with 405 and `Allow`; every other
//! path answers 404. Whatever answers GET answers HEAD.

use actix_web::{
    Resource,
    http::header::{self, HeaderValue},
    web::{self, ServiceConfig, delete, get, head, patch, post, put},
};

use super::{
    admin, admin_keys, batch, changes, collections, documents, health, indexes, kinds::Kind,
    problem::Problem, problems, queries, transactions,
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/health", "GET, HEAD")
                .route(get().to(health::health))
                .route(head().to(health::health)),
        )
        .service(
            resource("/health/live", "GET, HEAD")
                .route(get().to(health::live))
                .route(head().to(health::live)),
        )
        .service(
            resource("/health/ready", "GET, HEAD")
                .route(get().to(health::ready))
                .route(head().to(health::ready)),
        )
        .service(
            resource("/problems/{slug}", "GET, HEAD")
                .route(get().to(problems::page))
                .route(head().to(problems::page)),
        )
        .service(
            resource("/changes", "GET, HEAD")
                .route(get().to(changes::changes))
                .route(head().to(changes::changes)),
        )
        .service(resource("/transactions/batch", "POST").route(post().to(batch::batch)))
        .service(resource("/admin/checkpoint", "POST").route(post().to(admin::checkpoint)))
        .service(
            resource("/admin/stats", "GET, HEAD")
                .route(get().to(admin::stats))
                .route(head().to(admin::stats)),
        )
        .service(
            resource("/admin/keys", "GET, HEAD, POST")
                .route(get().to(admin_keys::list))
                .route(head().to(admin_keys::list))
                .route(post().to(admin_keys::create)),
        )
        .service(resource("/admin/keys/{id}", "DELETE").route(delete().to(admin_keys::remove)))
        .configure(routes_of_transactions)
        .configure(routes_of_collections)
        .default_service(web::to(no_such_route));
}

fn routes_of_transactions(config: &mut ServiceConfig) {
    config
        .service(resource("/transactions", "POST").route(post().to(transactions::begin)))
        .service(
            resource("/transactions/{token}", "DELETE").route(delete().to(transactions::roll_back)),
        )
        .service(
            resource("/transactions/{token}/commit", "POST").route(post().to(transactions::commit)),
        )
        .configure(|config| routes_of_documents(config, "/transactions/{token}"));
}

fn routes_of_collections(config: &mut ServiceConfig) {
    config
        .service(
            resource("/collections", "GET, HEAD")
                .route(get().to(collections::list))
                .route(head().to(collections::list)),
        )
        .service(
            resource("/collections/{collection}", "GET, HEAD, PUT, DELETE")
                .route(get().to(collections::describe))
                .route(head().to(collections::describe))
                .route(put().to(collections::create))
                .route(delete().to(collections::remove)),
        )
        .service(
            resource("/collections/{collection}/indexes", "GET, HEAD")
                .route(get().to(indexes::list))
                .route(head().to(indexes::list)),
        )
        .service(
            resource("/collections/{collection}/indexes/{index}", "PUT, DELETE")
                .route(put().to(indexes::create))
                .route(delete().to(indexes::remove)),
        )
        .configure(|config| routes_of_documents(config, ""));
}

/// The routes that interactive transactions have too, below their own path.
fn routes_of_documents(config: &mut ServiceConfig, base: &str) {
    let collection = format!("{base}/collections/{{collection}}");
    config
        .service(resource(&format!("{collection}/query"), "POST").route(post().to(queries::query)))
        .service(
            resource(&format!("{collection}/documents"), "GET, HEAD, POST")
                .route(get().to(queries::find))
                .route(head().to(queries::find))
                .route(post().to(documents::insert)),
        )
        .service(
            resource(&format!("{collection}/documents/{{id}}"), "GET, HEAD, PUT, PATCH, DELETE")
                .route(get().to(documents::read))
                .route(head().to(documents::read))
                .route(put().to(documents::put))
                .route(patch().to(documents::patch))
                .route(delete().to(documents::remove)),
        );
}

/// A resource that refuses the methods it does not have.
fn resource(path: &str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move || async move {
        Err::<&str, Problem>(
            Problem::new(Kind::MethodNotAllowed, format!("this route has the methods {allow}"))
                .with_header(header::ALLOW, HeaderValue::from_static(allow)),
        )
    }))
}

async fn no_such_route() -> Result<&'static str, Problem> {
    Err(Problem::new(Kind::RouteNotFound, "the server has no route of this path"))
}
