"""registre: orders of documents from Quebec's land registry, bought once and delivered."""
