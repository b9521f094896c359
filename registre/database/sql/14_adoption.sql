-- Last of the functions: what was in the tables before they existed.

select registre.adopt_rows();
