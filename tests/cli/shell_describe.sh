# What DESCRIBE lists: all that the store has.
run() { "$CORM" shell corm:./store "$@"; }
run -e "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
        CREATE TABLE shop.products (id int PRIMARY KEY)"
run -e "DESC KEYSPACES; DESCRIBE TABLES; DESC CLUSTER"
