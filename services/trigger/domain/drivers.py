"""Driver attributes of the guides (R41, R42) with their words, so that a programme may name them alone."""

from __future__ import annotations

_WORDS: dict[str, tuple[str, str, str]] = {
    "implementation": ("Implementation", "Implementación", "Införande"),
    "account_manager": (
        "Responsiveness of your account manager",
        "Respuesta de su ejecutivo de cuenta",
        "Tillgänglighet hos er kundansvariga",
    ),
    "bugs": ("Stability, few errors", "Estabilidad, pocos errores", "Stabilitet, få fel"),
    "ui": ("Interface and ease of use", "Interfaz y facilidad de uso", "Gränssnitt och användarvänlighet"),
    "value": ("Overall value", "Valor general", "Helhetsvärde"),
    "partnership": ("Working together as partners", "Trabajo como socios", "Samarbetet som partner"),
    "support": ("Support", "Soporte", "Support"),
    "campaign_effectiveness": ("Effect of the campaign", "Efectividad de la campaña", "Kampanjens effekt"),
    "message_quality": ("Quality of the message", "Calidad del mensaje", "Budskapets kvalitet"),
    "creative": ("Creative work", "Trabajo creativo", "Kreativt arbete"),
    "client_experience": ("Being our client", "Experiencia como cliente", "Upplevelsen som kund"),
    "security": ("Security and reliability", "Seguridad y confiabilidad", "Säkerhet och tillförlitlighet"),
    "integration": ("Ease of integration", "Facilidad de integración", "Enkel integration"),
    "speed": ("Processing speed", "Velocidad de procesamiento", "Snabb behandling"),
    "punctuality": ("Punctuality", "Puntualidad", "Punktlighet"),
    "goods_condition": ("Condition of the goods", "Estado de la mercancía", "Godsets skick"),
    "traceability": ("Tracking of the delivery", "Trazabilidad del envío", "Spårbarhet"),
    "service": ("Service and attention", "Servicio y atención", "Service och bemötande"),
    "fulfilment": (
        "Orders complete and correct",
        "Pedidos completos y correctos",
        "Kompletta och rätta leveranser",
    ),
    "reliability": ("Reliability", "Confiabilidad", "Tillförlitlighet"),
    "communication": ("Communication", "Comunicación", "Kommunikation"),
    "quality": ("Quality of the work", "Calidad del trabajo", "Arbetets kvalitet"),
    "response_time": ("Response time", "Tiempo de respuesta", "Svarstid"),
    "expertise": ("Expertise", "Experiencia y conocimiento", "Sakkunskap"),
    "value_for_money": ("Value for money", "Relación calidad-precio", "Valuta för pengarna"),
    "training": ("Training and guidance", "Capacitación y acompañamiento", "Utbildning och vägledning"),
    "availability": ("Availability of products", "Disponibilidad de productos", "Tillgång på produkter"),
    "compliance": (
        "Documents and compliance",
        "Documentación y cumplimiento",
        "Dokumentation och regelefterlevnad",
    ),
    "transparency": (
        "Clear fees and reports",
        "Claridad en costos e informes",
        "Tydliga avgifter och rapporter",
    ),
    "trust": ("Trust in our advice", "Confianza en nuestra asesoría", "Förtroende för vår rådgivning"),
    "price": ("Price", "Precio", "Pris"),
    "innovation": ("Innovation", "Innovación", "Nytänkande"),
}

DRIVERS: dict[str, dict[str, str]] = {
    name: {"en": english, "es": spanish, "sv": swedish}
    for name, (english, spanish, swedish) in _WORDS.items()
}
"""Attribute -> its words by language."""
