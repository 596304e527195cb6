const jsforce = require('jsforce');

function ask(query, done) {
    const conn = new jsforce.Connection();
    conn.login('sales@example.com', 'rainforceword', (err) => {
        if (err) { done(err); return; }
        conn.query(query, done);
    });
}
