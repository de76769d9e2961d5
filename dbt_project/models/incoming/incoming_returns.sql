{{ incoming() }}
