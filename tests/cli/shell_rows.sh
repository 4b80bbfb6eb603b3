# Tables, expanded rows, JSON, lightweight transactions, warnings and DESCRIBE.
run() { "$CORM" shell "$STORE" "$@"; }
run -e "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
        CREATE TABLE shop.products (id int PRIMARY KEY, name text, tags set<text>, price decimal, \"Old\" boolean);
        INSERT INTO shop.products (id, name, tags, price) VALUES (1, 'Rose', {'red', 'thorny'}, 4.50);
        INSERT INTO shop.products (id, name, \"Old\") VALUES (2, 'Tülpe 漢', true);"
run -k shop -e "SELECT * FROM products; SELECT id FROM products WHERE id = 9"
run -k shop -e "EXPAND ON; SELECT * FROM products WHERE id = 1;"
run -k shop --json -e "SELECT * FROM products; SELECT JSON id, \"Old\" FROM products WHERE id = 2"
run -k shop -e "INSERT INTO products (id) VALUES (1) IF NOT EXISTS; UPDATE products SET name = 'x' WHERE id = 1 IF price = 4.50"
run -k shop --json -e "UPDATE products SET name = 'y' WHERE id = 1 IF name = 'z'"
run -e "DESC shop.products; USE shop; DESC TABLES"
run -e "SELECT count(*) FROM shop.products"
